import type { OpenCall } from "@autolabel/budget-core";
import type { ReadBody } from "./openai-body.ts";
import { watchResponse } from "./watch-response.ts";

/**
 * The same response with a body that is read along and settles its cost exactly once, however it ends: whole, cut,
 * aborted, cancelled, or never read. It is drained in the background, so a caller who stops reading without closing the
 * connection does not hide the true cost.
 */
export async function meterResponse(response: Response, open: OpenCall, read: ReadBody): Promise<Response> {
  const { body, status, statusText, headers } = response;
  if (!body) {
    await open.fail(new Error("The response has no body"));
    return response;
  }
  const metered = new Response(meterBody(body, open, read, headers.get("content-type") ?? ""), {
    status,
    statusText,
    headers,
  });
  // A constructed response has no address; error messages and logs of the client show it.
  Object.defineProperty(metered, "url", { value: response.url });
  return metered;
}

function meterBody(source: ReadableStream<Uint8Array>, open: OpenCall, read: ReadBody, contentType: string) {
  const reader = source.getReader();
  const watch = watchResponse(contentType, read, {
    onResult: (result) => open.succeed(result),
    onFailure: (error) => open.fail(error),
  });
  let caller: ReadableStreamDefaultController<Uint8Array> | undefined;
  const drain = async () => {
    for (;;) {
      const { done, value } = await reader.read();
      const bytes = await (done ? watch.end() : watch.pass(value));
      if (bytes.length > 0) caller?.enqueue(bytes);
      if (done) return caller?.close();
    }
  };
  let drained: Promise<void> | undefined;
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        caller = controller;
        drained = drain().catch(async (error: unknown) => {
          // The answer had begun, so no reason for its end tells that nothing was charged.
          await open.cut();
          caller?.error(error);
        });
      },
      async cancel(reason) {
        caller = undefined;
        // Ends the draining as well, which settles. The client cancels at the end mark, when that is done already.
        await reader.cancel(reason);
        await drained;
      },
    },
    { highWaterMark: Number.POSITIVE_INFINITY },
  );
}
