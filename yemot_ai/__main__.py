"""``python -m yemot_ai``: the command ``yemot-ai``."""

from __future__ import annotations

import sys

from yemot_ai.cli.main import main

sys.exit(main())
