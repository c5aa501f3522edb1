import type { LanguageModelV4, LanguageModelV4CallOptions } from "@ai-sdk/provider";
import { UnboundedRequestError } from "../errors/unbounded-request-error.ts";
import { isDoor, kindOfFactory, kindOfModel, type ModelKind, surfaceOf } from "./doors.ts";
import type { Metering } from "./meter-call.ts";
import { type ModelCallOptions, meterDoStream, meterGenerate, meterOther } from "./meter-model.ts";

/** Options of {@link withBudget}. */
export interface WithBudgetOptions extends Metering {
  /**
   * Whether a door that cannot be metered throws. Default true; with false it stays open, and what goes through it is
   * neither limited nor counted: {@link coverage} lists such doors.
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
 * provider's own type is kept.
 *
 * @throws TypeError for what is neither a provider nor a model.
 */
export function withBudget<T extends object>(target: T, options: WithBudgetOptions): T {
  const kind = kindOfModel(target);
  const wrapped = kind ? meterModel(target, kind, options) : meterProvider(target, options);
  return wrapped as T;
}

/**
 * The doors of what {@link withBudget} made: which are metered, refused, or open.
 *
 * @throws TypeError for anything else.
 */
export function coverage(wrapped: object): Door[] {
  const list = doors.get(wrapped);
  if (!list) throw new TypeError("coverage() takes a provider or a model that withBudget() made");
  return list();
}

function meterProvider(provider: object, options: WithBudgetOptions): object {
  if (typeof provider !== "function" && methodsOf(provider).length === 0) {
    throw new TypeError("withBudget() takes an AI SDK provider or model");
  }
  const { strict = true } = options;
  const wrapResult = (made: unknown, kind: ModelKind | undefined) => {
    const known = kindOfModel(made) && (kind ?? kindOfModel(made));
    return known ? meterModel(made as object, known, options) : made;
  };
  const statusOf = (name: string): Door["status"] => {
    if (kindOfFactory(name)) return "metered";
    return strict ? "refused" : "open";
  };
  const wrapped = new Proxy(provider, {
    apply: (target, _self, args: unknown[]) =>
      wrapResult(Reflect.apply(target as (...given: unknown[]) => unknown, undefined, args), "language"),
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== "function" || typeof name !== "string" || isInherited(name)) return value;
      if (statusOf(name) === "refused") return () => refuse(name);
      return (...args: unknown[]) => wrapResult(Reflect.apply(value, target, args), kindOfFactory(name));
    },
  });
  const own = typeof provider === "function" ? [{ name: "()", status: "metered" as const }] : [];
  doors.set(wrapped, () => [...own, ...methodsOf(provider).map((name) => ({ name, status: statusOf(name) }))]);
  return wrapped;
}

function meterModel(model: object, kind: ModelKind, options: WithBudgetOptions): object {
  const { strict = true } = options;
  const statusOf = (method: string): Door["status"] => {
    if (surfaceOf(kind, method)) return "metered";
    return strict ? "refused" : "open";
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

function refuse(name: string): never {
  throw new UnboundedRequestError({
    reason: `"${name}" costs money in a way that cannot be metered yet`,
    fix: "Use it without a budget, or with withBudget(…, { strict: false }) if it may spend unseen.",
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
