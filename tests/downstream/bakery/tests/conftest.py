from __future__ import annotations

import os

os.environ["OPENAI_API_KEY"] = "none"  # nobody outside is asked, but the provider wants one
