from __future__ import annotations

import os

os.environ["OPENAI_API_KEY"] = "none"  # the provider requires a key; the doubles ignore it
