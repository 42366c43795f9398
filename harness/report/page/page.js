"use strict";
(() => {
  const form = document.getElementById("filter");
  const all = document.getElementById("all");
  if (!form || !all) return;
  const low = (node) => (node ? node.textContent.toLowerCase() : "");
  // Read once: 3,000 checks are then some thousand string searches per key, and the page is written to only where it changes.
  const cases = [...all.querySelectorAll("details.case")].map((node) => {
    const head = low(node.querySelector("summary .t"));
    const checks = [];
    for (const step of node.querySelectorAll(".steps > li")) {
      const label = low(step.querySelector(".s"));
      for (const item of step.querySelectorAll(".checks > li")) {
        checks.push({ item, kind: item.dataset.k, text: `${head} ${label} ${low(item)}`, shown: true });
      }
    }
    return { node, head: `${head} ${low(node.querySelector(".why"))}`, kind: node.dataset.k || "", labels: new Set(JSON.parse(node.dataset.l)), checks, shown: true, opened: false };
  });
  const total = cases.reduce((sum, one) => sum + one.checks.length, 0);
  const text = form.elements.namedItem("text");
  const label = form.elements.namedItem("label");
  const kinds = [...form.querySelectorAll("input[name=kind]")];
  const found = document.getElementById("found");
  const number = (value) => value.toLocaleString("en");
  const update = () => {
    const words = text.value.toLowerCase().split(/\s+/).filter(Boolean);
    const wanted = new Set(kinds.filter((one) => one.checked).map((one) => one.value));
    const narrowed = words.length > 0 || wanted.size > 0 || label.value !== "";
    const holds = (said) => words.every((word) => said.includes(word));
    let checks = 0;
    let shownCases = 0;
    for (const one of cases) {
      const labelled = label.value === "" || one.labels.has(label.value);
      let here = 0;
      for (const check of one.checks) {
        const show = labelled && (wanted.size === 0 || wanted.has(check.kind)) && holds(check.text);
        if (show !== check.shown) check.item.hidden = !(check.shown = show);
        if (show) here += 1;
      }
      // A case may match although no check of it does: it has none, or was judged as a whole.
      const whole = labelled && holds(one.head) && (wanted.size === 0 ? one.checks.length === 0 || !narrowed : wanted.has(one.kind));
      const show = here > 0 || whole;
      if (show !== one.shown) one.node.hidden = !(one.shown = show);
      one.here = here;
      checks += here;
      shownCases += show ? 1 : 0;
    }
    const open = narrowed && checks <= 40;
    for (const one of cases) {
      if (open && one.here > 0 && !one.node.open) { one.node.open = true; one.opened = true; }
      else if (!(open && one.here > 0) && one.opened) { one.node.open = false; one.opened = false; }
    }
    found.textContent = narrowed ? `${number(checks)} of ${number(total)} checks in ${number(shownCases)} ${shownCases === 1 ? "case" : "cases"}` : `${number(total)} checks in ${number(cases.length)} cases`;
  };
  form.hidden = false;
  form.addEventListener("input", update);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(update));
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && !event.ctrlKey && !event.metaKey && !/^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) {
      event.preventDefault();
      text.focus();
      text.scrollIntoView({ block: "start" });
    }
  });
  const reveal = () => {
    const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (target && target.tagName === "DETAILS") target.open = true;
  };
  window.addEventListener("hashchange", reveal);
  reveal();
  update();
})();
