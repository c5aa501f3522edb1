import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startSimulator } from "@autolabel/simulator";
import { expect, it } from "vitest";
import { parse } from "yaml";
import { CliFolder } from "../testing/run-cli.ts";

const deploy = join(import.meta.dirname, "../../../../deploy");
const read = (name: string) => readFileSync(join(deploy, name), "utf8");

interface Compose {
  services: Record<string, { command?: string[]; stop_grace_period?: string; healthcheck: { test: string[] } }>;
}
interface Kubernetes {
  spec: {
    template: {
      spec: {
        terminationGracePeriodSeconds: number;
        containers: {
          args: string[];
          ports: { name: string; containerPort: number }[];
          readinessProbe: { httpGet: { path: string; port: string } };
          livenessProbe: { httpGet: { path: string; port: string }; periodSeconds: number; failureThreshold: number };
        }[];
      };
    };
  };
}

/** A call may take so long before it is given up: `timeoutMs` of a run, in seconds. */
const longestCallS = 120;
/** A worker waits so long for a database that is away, in seconds. */
const patienceS = 120;

it("starts workers as they can be started, asks after them where they answer, and lets them wait for their database and finish their calls", async () => {
  const { services } = parse(read("compose.yaml"), { merge: true }) as Compose;
  const { spec } = (parse(read("kubernetes.yaml")) as Kubernetes).spec.template;
  const [container] = spec.containers;
  const unit = read("autolabel-worker@.service");
  const commands = [
    services.worker?.command ?? [],
    container?.args ?? [],
    (/ExecStart=\/usr\/bin\/env autolabel (.*)/.exec(unit)?.[1] ?? "").replace("%i", "8081").split(" "),
  ];
  expect(services.worker?.healthcheck.test.join(" ")).toContain("127.0.0.1:8080/healthz");
  expect(container?.readinessProbe.httpGet).toEqual({ path: "/readyz", port: "health" });
  expect(container?.livenessProbe.httpGet).toEqual({ path: "/healthz", port: "health" });
  expect(container?.ports).toEqual([{ name: "health", containerPort: 8080 }]);
  const graces = [
    services.worker?.stop_grace_period,
    spec.terminationGracePeriodSeconds,
    /TimeoutStopSec=(\d+)/.exec(unit)?.[1],
  ];
  for (const grace of graces) expect(Number.parseInt(String(grace), 10)).toBeGreaterThan(longestCallS);
  const { periodSeconds = 0, failureThreshold = 0 } = container?.livenessProbe ?? {};
  expect(periodSeconds * failureThreshold).toBeGreaterThan(patienceS);

  const simulator = await startSimulator();
  const cli = new CliFolder(mkdtempSync(join(tmpdir(), "deploy-")), simulator);
  try {
    // Without a database every flag is read, and nothing is done.
    for (const command of commands) {
      expect(command.join(" ")).toMatch(/^worker -j 64 --health-port 808\d$/);
      const { code, stderr } = await cli.run([...command, "--store", "folder"]);
      expect([code, stderr]).toEqual([2, expect.stringContaining("Workers take rows from a database")]);
    }
  } finally {
    await simulator.close();
    rmSync(cli.folder, { recursive: true });
  }
});
