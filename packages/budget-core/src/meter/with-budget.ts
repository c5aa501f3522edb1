import type { LanguageModelV4, LanguageModelV4CallOptions } from "@ai-sdk/provider";
import { canBound, type Surface } from "../costs.ts";
import { UnboundedRequestError } from "../errors/unbounded-request-error.ts";
import { isDoor, kindOfFactory, kindOfModel, type ModelKind, surfaceOf, surfacesOf } from "./doors.ts";
import type { Metering } from "./meter-call.ts";
import { type ModelCallOptions, meterDoStream, meterGenerate, meterOther } from "./meter-model.ts";

/** Options of {@link withBudget}. */
export interface WithBudgetOptions extends Metering {
  /**
   * Whether a door that cannot be metered throws UnboundedRequestError before anything is sent: one that is not known, or
   * one whose costs the {@link CostExtractor} cannot bound. Default true; with false it stays open, and what goes through
   * it is neither limited nor counted: {@link coverage} lists such doors.
   */
  strict?: boolean;
}

/** One way to spend money through a provider or a model. */
export interface Door {
  /** The method, such as `chat` or `doEmbed`; `()` is the provider called as a function. */
  name: string;
  /** `metered`: within the budget. `refused`: throws. `open`: neither limited nor counted. */
  status: "metered" | "refused" | "open";
}

const doors = new WeakMap<object, () => Door[]>();

/**
 * A provider or a model of the AI SDK whose billable methods must fit the budget: language, embedding, image, speech,
 * transcription, reranking, video and decision models, whatever of them the {@link CostExtractor} can bound. The
 * provider's own type is kept. Its `tools`, which send nothing themselves, stay as they are.
 *
 * @throws TypeError for what is neither a provider nor a model, for what is under a budget already, and for a speech or
 * transcription model by itself: they look alike, so give the provider that makes it.
 */
export function withBudget<T extends object>(target: T, options: WithBudgetOptions): T {
  refuseMetered(target);
  const kind = kindOfModel(target);
  const wrapped = kind ? meterModel(target, kind, options) : meterProvider(target, options);
  return wrapped as T;
}

/**
 * The doors of what {@link withBudget} made: which are metered, refused, or open. A provider's door is metered when the
 * models that it makes have a metered door.
 *
 * @throws TypeError for anything else.
 */
export function coverage(wrapped: object): Door[] {
  const list = doors.get(wrapped);
  if (!list) throw new TypeError("coverage() takes a provider or a model that withBudget() made");
  return list();
}

function meterProvider(provider: object, options: WithBudgetOptions): object {
  if ("modelId" in provider || (typeof provider !== "function" && methodsOf(provider).length === 0)) {
    throw new TypeError("withBudget() takes an AI SDK provider, or a model whose kind can be told");
  }
  const statusOf = (kind: ModelKind | undefined) => statusOfDoor(kind ? surfacesOf(kind) : [], options);
  /** Calls a factory; what it makes decides on its kind, wherever that can be told. */
  const make = (name: string, expected: ModelKind | undefined, factory: () => unknown) => {
    if (statusOf(expected) === "refused") refuse(name);
    const made = factory();
    refuseMetered(made);
    const kind = kindOfModel(made, expected);
    const status = statusOf(kind);
    if (status === "refused") refuse(name);
    return kind && status === "metered" ? meterModel(made as object, kind, options) : made;
  };
  const wrapped = new Proxy(provider, {
    apply: (target, _self, args: unknown[]) =>
      make("()", "language", () => Reflect.apply(target as (...given: unknown[]) => unknown, undefined, args)),
    construct: () => refuse("new"),
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof name !== "string" || isInherited(name) || name === "tools") return value;
      if (typeof value === "object" && value !== null && methodsOf(value).length > 0) {
        return meterProvider(value, options);
      }
      if (typeof value !== "function") return value;
      const kind = kindOfFactory(name);
      if (statusOf(kind) === "refused") return closed(value, name);
      return (...args: unknown[]) => make(name, kind, () => Reflect.apply(value, target, args));
    },
  });
  doors.set(wrapped, () => doorsOfProvider(provider, (name) => statusOf(kindOfFactory(name))));
  return wrapped;
}

function doorsOfProvider(provider: object, statusOf: (name: string) => Door["status"]): Door[] {
  const own = typeof provider === "function" ? [{ name: "()", status: statusOf("languageModel") }] : [];
  const nested = Object.entries(provider).flatMap(([path, value]: [string, unknown]) =>
    typeof value === "object" && value !== null && path !== "tools"
      ? methodsOf(value).map((name) => ({ name: `${path}.${name}`, status: statusOf(name) }))
      : [],
  );
  return [...own, ...methodsOf(provider).map((name) => ({ name, status: statusOf(name) })), ...nested];
}

function meterModel(model: object, kind: ModelKind, options: WithBudgetOptions): object {
  const statusOf = (method: string) => {
    const surface = surfaceOf(kind, method);
    return statusOfDoor(surface ? [surface] : [], options);
  };
  const wrapped = new Proxy(model, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== "function" || typeof name !== "string") return value;
      const call = value.bind(target) as (params: ModelCallOptions) => PromiseLike<unknown>;
      if (!isDoor(name)) return call;
      const status = statusOf(name);
      if (status === "open") return call;
      if (status === "refused") return () => refuse(name);
      return (params: ModelCallOptions) => meterDoor({ model: target, kind, name, call }, params, options);
    },
  });
  doors.set(wrapped, () =>
    methodsOf(model)
      .filter(isDoor)
      .map((name) => ({ name, status: statusOf(name) })),
  );
  return wrapped;
}

/** A door is metered when something that goes through it can be bounded. */
function statusOfDoor(surfaces: readonly Surface[], { costs, strict = true }: WithBudgetOptions): Door["status"] {
  if (surfaces.some((surface) => canBound(costs, surface))) return "metered";
  return strict ? "refused" : "open";
}

/** Two budgets around one model would count each call twice. */
function refuseMetered(target: unknown): void {
  if (doors.has(target as object)) {
    throw new TypeError("It is metered already. For a further budget, use a child tracker or runWithBudget");
  }
}

interface DoorCall {
  model: object;
  kind: ModelKind;
  name: string;
  call: (params: ModelCallOptions) => PromiseLike<unknown>;
}

function meterDoor(
  { model, kind, name, call }: DoorCall,
  params: ModelCallOptions,
  metering: Metering,
): Promise<unknown> {
  if (kind === "language") {
    const meter = name === "doStream" ? meterDoStream : meterGenerate;
    return meter(metering, model as LanguageModelV4, params as LanguageModelV4CallOptions);
  }
  const surface = surfaceOf(kind, name);
  if (!surface) return refuse(name);
  return meterOther(metering, { surface, model: model as { modelId: string }, params }, call);
}

/** Refuses a function and, like realtime's `getToken`, the functions that it carries. */
function closed(door: object, name: string): object {
  return new Proxy(door, {
    apply: () => refuse(name),
    construct: () => refuse(name),
    get: (target, member) => {
      const value: unknown = Reflect.get(target, member, target);
      return typeof value === "function" && typeof member === "string" && !isInherited(member)
        ? () => refuse(`${name}.${member}`)
        : value;
    },
  });
}

function refuse(name: string): never {
  throw new UnboundedRequestError({
    reason: `what "${name}" costs is not metered`,
    fix: "Use the provider that you gave to withBudget for it, or { strict: false }: what it spends is then neither limited nor counted.",
  });
}

/** All methods of an object, inherited ones too, but for those that every object has. */
function methodsOf(target: object): string[] {
  const names = new Set<string>();
  for (
    let level = target;
    level && level !== Object.prototype && level !== Function.prototype;
    level = Object.getPrototypeOf(level)
  ) {
    for (const name of Object.getOwnPropertyNames(level)) {
      const { value } = Object.getOwnPropertyDescriptor(level, name) ?? {};
      if (typeof value === "function" && name !== "constructor") names.add(name);
    }
  }
  return [...names];
}

function isInherited(name: string): boolean {
  return name in Object.prototype || name in Function.prototype;
}
