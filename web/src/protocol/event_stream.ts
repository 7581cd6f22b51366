//! Server-sent events out of the body of an answer: the data of each, as it comes.

/** Reads a stream to its end; `onData` gets the data of each event. */
export async function readEvents(body: ReadableStream<Uint8Array>, onData: (data: string) => void): Promise<void> {
  const reader = body.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>).getReader();
  let rest = "";
  let lines: string[] = [];
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    rest += value;
    const parts = rest.split(/\r\n|\n|\r(?!$)/);
    rest = parts.pop() ?? "";
    for (const line of parts) {
      if (line === "") {
        if (lines.length > 0) onData(lines.join("\n"));
        lines = [];
      } else if (line.startsWith("data:")) {
        lines.push(line.slice(line.startsWith("data: ") ? 6 : 5));
      }
    }
  }
}
