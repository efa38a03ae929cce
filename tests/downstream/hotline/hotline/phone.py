"""A line on plain yemot-flow, without AI and without yemot-ai."""

from __future__ import annotations

from yemot_flow import Call, Flow

BRANCHES = {"1": "הסניף בירושלים פתוח עד שמונה", "2": "הסניף בחיפה פתוח עד תשע"}

flow = Flow()


@flow.get("")
async def hours(call: Call) -> None:
    """Ask for the branch and play its opening hours."""
    key = await call.read([("text", "לירושלים הקישו 1, לחיפה הקישו 2")], val_name="branch", max_digits=1)
    call.play_message([("text", BRANCHES.get(key, "אין סניף כזה"))])
