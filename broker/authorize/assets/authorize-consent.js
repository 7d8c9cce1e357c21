// A second click while the first is under way would send the form again.
document.getElementById("consent").addEventListener("submit", (event) => {
  if (event.target.dataset.sent) {
    event.preventDefault();
  }
  event.target.dataset.sent = "yes";
});
addEventListener("pageshow", () => delete document.getElementById("consent").dataset.sent);
