//! The page of changes: what waits for a person, what was done, and how it is undone.

import { render } from "preact";
import { BrowserChanges } from "./changes/browser_changes.tsx";
import { HostChanges } from "./changes/host_changes.tsx";
import { Announcer } from "./parts/announcer.tsx";
import { askForNoIcon } from "./parts/icon.ts";

askForNoIcon();
const page = document.getElementById("page");
if (page !== null) {
  render(
    <>
      {window.parent === window ? <BrowserChanges /> : <HostChanges page={page} />}
      <Announcer />
    </>,
    page,
  );
}
