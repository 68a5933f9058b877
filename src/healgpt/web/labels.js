// Streamlit's own page speaks English: lang="en" would have a screen reader read Chinese in an English voice, and
// its own buttons carry English labels. `labels` maps those to Chinese.
(labels) => {
  if (window.healgptLabels) return;
  window.healgptLabels = true;
  document.documentElement.lang = "zh-CN";
  const translate = () => {
    for (const [english, chinese] of Object.entries(labels)) {
      for (const node of document.querySelectorAll(`[aria-label="${english}"]`)) node.setAttribute("aria-label", chinese);
    }
    for (const node of document.querySelectorAll('[aria-label^="Help for "]')) {
      node.setAttribute("aria-label", labels["Help for "] + node.getAttribute("aria-label").slice(9));
    }
    const skip = document.querySelector('[data-testid="stSkipToContent"]');
    if (skip && labels[skip.textContent]) skip.textContent = labels[skip.textContent];
  };
  translate();
  new MutationObserver(translate).observe(document.body, { childList: true, subtree: true });
}
