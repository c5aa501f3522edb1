export type { AnswerRequest } from "./answers.ts";
export type { Fault, FaultKind } from "./faults.ts";
export type { Invoice, InvoiceLine, InvoiceOutcome } from "./invoice.ts";
export type { RateLimits } from "./rate-limits.ts";
export { type Simulator, startSimulator } from "./server.ts";
export type { SimulatedEndpoint, SimulatedModel } from "./simulated-model.ts";
export type { SimulatorOptions } from "./simulator-options.ts";
