//! The page of work: boards, tables, records and charts, in a browser or inside a conversation.

import { render } from "preact";
import { Announcer } from "./parts/announcer.tsx";
import { askForNoIcon } from "./parts/icon.ts";
import { BrowserWork } from "./work/browser_work.tsx";
import { HostWork } from "./work/host_work.tsx";

askForNoIcon();
const page = document.getElementById("page");
if (page !== null) {
  render(
    <>
      {window.parent === window ? <BrowserWork /> : <HostWork page={page} />}
      <Announcer />
    </>,
    page,
  );
}
