// Turns the search form into search as you type. Without this script the form and its pages do the same.
(() => {
  'use strict';
  const form = document.querySelector('form[data-search]');
  if (!form) return;
  const input = form.elements.q;
  const count = document.getElementById('count');
  const go = form.querySelector('button');
  const results = () => document.getElementById('results');
  const offices = () => [...results().querySelectorAll('button')];

  // Who somebody is stays here: of an e-mail address only the domain is sent.
  const wanted = () => {
    const text = input.value.trim();
    const at = text.lastIndexOf('@');
    return at > 0 && !/[\s@]/.test(text.slice(0, at)) ? text.slice(at) : text;
  };

  let shown = wanted();
  let timer = 0;
  let running = null;
  go.hidden = true;

  const query = (base, text) => {
    const url = new URL(base, location.href);
    for (const [name, value] of new FormData(form)) url.searchParams.set(name, value);
    if (text) url.searchParams.set('q', text);
    else url.searchParams.delete('q');
    return url;
  };

  const say = (text) => {
    if (count.textContent !== text) count.textContent = text;
  };

  const search = async () => {
    clearTimeout(timer);
    const text = wanted();
    if (running) running.abort();
    running = null;
    if (text === shown) return;
    const own = running = new AbortController();
    try {
      const answer = await fetch(query(form.dataset.search, text), { signal: own.signal, credentials: 'same-origin', redirect: 'error' });
      if (!answer.ok) throw new Error(answer.status);
      const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
      const next = page.getElementById('results');
      if (own.signal.aborted || !next) return;
      results().replaceWith(document.adoptNode(next));
      say(next.dataset.count);
      shown = text;
      go.hidden = true;
      history.replaceState(history.state, '', query(form.action, text));
    } catch (error) {
      if (own.signal.aborted) return;
      go.hidden = false; // the form still works
      say(form.dataset.failed);
    } finally {
      if (running === own) running = null;
    }
  };

  // A key is answered at once, unless it follows another so closely that more will come.
  let typed = 0;
  input.addEventListener('input', (event) => {
    clearTimeout(timer);
    const quick = event.timeStamp - typed < 80;
    typed = event.timeStamp;
    if (!event.isComposing) timer = setTimeout(search, quick ? 40 : 0);
  });
  input.addEventListener('compositionend', search);

  // Enter goes to the best hit, Enter again chooses it: nobody is sent to an office that was not seen.
  form.addEventListener('submit', async (event) => {
    if (!go.hidden) return;
    event.preventDefault();
    await search();
    if (wanted() === shown && offices().length) offices()[0].focus();
  });

  // Enter in the checkbox presses the button that shows the page again: not needed here.
  document.addEventListener('submit', (event) => {
    if (event.submitter && event.submitter.hidden && event.submitter !== go) event.preventDefault();
  });

  document.addEventListener('keydown', (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step || event.isComposing || event.altKey || event.ctrlKey || event.metaKey) return;
    const stops = [input, ...offices()];
    const at = stops.indexOf(document.activeElement);
    if (at < 0) return;
    event.preventDefault();
    stops[Math.max(0, Math.min(stops.length - 1, at + step))].focus();
  });
})();
