"use strict";
(() => {
  const calls = [...document.querySelectorAll(".call")];
  const tools = document.querySelector(".tools");
  const ignored = /[\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u200b-\u200f\u202a-\u202e\u2066-\u2069"'׳״`]/g;
  const fold = (text) => text.normalize("NFC").toLowerCase().replace(ignored, "").replace(/\s+/g, " ");
  const texts = new Map();
  const textOf = (call) => {
    if (!texts.has(call)) texts.set(call, fold(call.textContent));
    return texts.get(call);
  };

  const filter = () => {
    const state = tools.elements.state.value;
    const words = fold(tools.elements.text.value).split(" ").filter(Boolean);
    let shown = 0;
    for (const call of calls) {
      const matches =
        (!state || call.dataset.state === state) && words.every((word) => textOf(call).includes(word));
      call.hidden = !matches;
      shown += matches;
    }
    document.getElementById("none").hidden = shown > 0;
    tools.querySelector(".found").textContent =
      shown === calls.length ? "" : `${shown} מתוך ${calls.length} שיחות`;
  };

  const setOpen = (someCalls, isOpen) => {
    for (const call of someCalls) call.querySelector("details").open = isOpen;
  };

  const showLinkedCall = () => {
    const call = calls.find((candidate) => `#${candidate.id}` === location.hash);
    if (!call) return;
    if (call.hidden) {
      tools.reset();
      filter();
    }
    setOpen([call], true);
    call.scrollIntoView();
  };

  const copy = async (button) => {
    const command = button.parentElement.querySelector("code");
    const selection = getSelection();
    selection.selectAllChildren(command);
    let copied = false;
    try {
      await navigator.clipboard.writeText(command.textContent);
      copied = true;
    } catch {
      copied = document.execCommand("copy");
    }
    const label = button.textContent;
    button.textContent = copied ? "הועתק" : "סומן; העתיקו במקלדת";
    setTimeout(() => (button.textContent = label), 2000);
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest(".copy");
    if (button) copy(button);
  });
  if (!tools) return;

  tools.addEventListener("input", filter);
  tools.addEventListener("submit", (event) => event.preventDefault());
  const all = tools.querySelector(".all");
  all.addEventListener("click", () => {
    const expand = all.getAttribute("aria-pressed") !== "true";
    all.setAttribute("aria-pressed", String(expand));
    setOpen(calls, expand);
  });
  addEventListener("hashchange", showLinkedCall);

  let closed = [];
  addEventListener("beforeprint", () => {
    closed = calls.filter((call) => !call.querySelector("details").open);
    setOpen(closed, true);
  });
  addEventListener("afterprint", () => setOpen(closed, false));

  filter();
  showLinkedCall();
})();
