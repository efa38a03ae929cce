"use strict";
(() => {
  const calls = [...document.querySelectorAll(".call")];
  const tools = document.querySelector(".tools");
  const marks = /[\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u200b-\u200f\u202a-\u202e\u2066-\u2069"'׳״`]/g;
  const folded = (text) => text.normalize("NFC").toLowerCase().replace(marks, "").replace(/\s+/g, " ");
  const texts = new Map();
  const textOf = (call) => {
    if (!texts.has(call)) texts.set(call, folded(call.textContent));
    return texts.get(call);
  };

  const filter = () => {
    const state = tools.elements.state.value;
    const words = folded(tools.elements.text.value).split(" ").filter(Boolean);
    let shown = 0;
    for (const call of calls) {
      const fits =
        (!state || call.dataset.state === state) && words.every((word) => textOf(call).includes(word));
      call.hidden = !fits;
      shown += fits;
    }
    document.getElementById("none").hidden = shown > 0;
    tools.querySelector(".found").textContent =
      shown === calls.length ? "" : `${shown} מתוך ${calls.length} שיחות`;
  };

  const open = (several, whether) => {
    for (const call of several) call.querySelector("details").open = whether;
  };

  const reveal = () => {
    const call = calls.find((one) => `#${one.id}` === location.hash);
    if (!call) return;
    if (call.hidden) {
      tools.reset();
      filter();
    }
    open([call], true);
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
    const before = button.textContent;
    button.textContent = copied ? "הועתק" : "סומן; העתיקו במקלדת";
    setTimeout(() => (button.textContent = before), 2000);
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
    const whether = all.getAttribute("aria-pressed") !== "true";
    all.setAttribute("aria-pressed", String(whether));
    open(calls, whether);
  });
  addEventListener("hashchange", reveal);

  let closed = [];
  addEventListener("beforeprint", () => {
    closed = calls.filter((call) => !call.querySelector("details").open);
    open(closed, true);
  });
  addEventListener("afterprint", () => open(closed, false));

  filter();
  reveal();
})();
