"use strict";

(() => {
  const root = document.getElementById("graphiql");
  if (typeof GraphiQL === "undefined" || typeof ReactDOM === "undefined") {
    document.getElementById("notice").textContent =
      "GraphiQL could not be loaded. Run “ss12000-gateway assets” once, restart the gateway and reload this page.";
    return;
  }
  // GraphiQL 4.1 hides its sidebar at the first render, whatever visiblePlugin says: press its button once it is there.
  const opener = new MutationObserver(() => {
    const button = document.querySelector('button[aria-label="Show Documentation Explorer"]');
    if (button) {
      opener.disconnect();
      setTimeout(() => button.click(), 50);
    }
  });
  opener.observe(root, { childList: true, subtree: true });

  ReactDOM.createRoot(root).render(
    React.createElement(GraphiQL, {
      fetcher: GraphiQL.createFetcher({ url: root.dataset.endpoint }),
      defaultQuery: root.dataset.example,
      // Queries and variables may hold personal data: they end with the browser tab.
      storage: window.sessionStorage,
      shouldPersistHeaders: false,
    }),
  );
})();
