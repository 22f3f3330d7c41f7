// Lets the sliders of a decision answer while they move: the page of the other loan is fetched, and its decision takes this one's place.
const form = document.querySelector("form[data-live]");
const live = document.querySelector("#live");
let latest = 0;
let waiting;

async function show() {
  const number = ++latest;
  const query = new URLSearchParams(new FormData(form));
  const response = await fetch(`${form.action}?${query}`).catch(() => undefined);
  const text = await response?.text().catch(() => undefined);
  if (number !== latest) return;
  const page = new DOMParser().parseFromString(text ?? "", "text/html");
  const [before, after] = [document, page].map((each) => each.querySelector("#decision"));
  if (!after) return refuse(response?.ok ? undefined : page.querySelector("h1")?.textContent);
  for (const details of before.querySelectorAll("details[id]")) {
    const same = after.querySelector(`#${CSS.escape(details.id)}`);
    if (same) same.open = details.open;
  }
  before.replaceWith(after);
  live.className = "sr";
  live.textContent = after.querySelector("[data-summary]")?.textContent ?? "";
}

// Seen by everyone: what stands below is of another loan than the sliders.
function refuse(reason) {
  live.className = "alert";
  live.textContent = reason ?? live.dataset.failed;
}

function soon() {
  clearTimeout(waiting);
  waiting = setTimeout(show, 30);
}

for (const range of form?.querySelectorAll("input[type=range]") ?? []) {
  const field = form.elements.namedItem(range.dataset.for);
  range.hidden = false;
  range.addEventListener("input", () => {
    field.value = range.value;
    soon();
  });
  field.addEventListener("input", () => {
    range.value = field.value;
    if (form.checkValidity()) soon();
  });
}
