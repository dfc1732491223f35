// Adds a button that copies it to every piece of code.
for (const box of document.querySelectorAll(".code")) {
  const button = document.createElement("button");
  button.textContent = "Copy";
  button.className = "quiet copy";
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(box.querySelector("code").textContent);
    button.textContent = "Copied";
  });
  box.append(button);
}
