#!/usr/bin/env node
import { parseCliArguments, USAGE } from "./cli-arguments.ts";
import { decimalText } from "./pico-usd.ts";
import { type Simulator, startSimulator } from "./server.ts";

const parsed = parseCliArguments(process.argv.slice(2));
if (parsed.kind === "error") {
  process.stderr.write(`autolabel-simulator: ${parsed.message}\n`);
  process.exitCode = 2;
} else if (parsed.kind === "help") {
  process.stdout.write(USAGE);
} else {
  await run(parsed.options, parsed.quiet);
}

async function run(options: Parameters<typeof startSimulator>[0], quiet: boolean): Promise<void> {
  let simulator: Simulator;
  try {
    simulator = await startSimulator(options);
  } catch (error) {
    process.stderr.write(
      `autolabel-simulator: cannot listen: ${error instanceof Error ? error.message : String(error)}\n`,
    );
    process.exitCode = 1;
    return;
  }
  if (!quiet) process.stdout.write(welcome(simulator));
  const stop = async () => {
    await simulator.close();
    if (!quiet) process.stdout.write(farewell(simulator));
  };
  process.once("SIGINT", () => void stop());
  process.once("SIGTERM", () => void stop());
}

function welcome({ url, openRouterUrl, openAiUrl }: Simulator): string {
  return `Simulator at ${url} (no model behind it, nothing costs money)

  OpenRouter   export OPENROUTER_BASE_URL=${openRouterUrl} OPENROUTER_API_KEY=anything
  OpenAI       export OPENAI_BASE_URL=${openAiUrl} OPENAI_API_KEY=anything
  Invoice      curl ${url}/invoice

Ctrl-C stops it and shows what was billed.
`;
}

function farewell({ invoice, requests }: Simulator): string {
  const byModel = new Map<string, { count: number; costPicoUsd: bigint }>();
  for (const { model, costPicoUsd } of invoice.lines) {
    const sum = byModel.get(model) ?? { count: 0, costPicoUsd: 0n };
    byModel.set(model, { count: sum.count + 1, costPicoUsd: sum.costPicoUsd + costPicoUsd });
  }
  const lines = [...byModel].map(
    ([model, sum]) => `  ${model}: ${sum.count} billed, $${decimalText(sum.costPicoUsd)}\n`,
  );
  return `\nInvoice: $${decimalText(invoice.totalPicoUsd)} for ${invoice.count} billed of ${requests} requests\n${lines.join("")}`;
}
