//! No icon is asked for where the page stands alone; inside a conversation there is none to ask for.

export function askForNoIcon(): void {
  if (window.parent !== window) return;
  const link = document.createElement("link");
  link.rel = "icon";
  link.href = "data:,";
  document.head.append(link);
}
