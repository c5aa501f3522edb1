import { describe, expect, it } from "vitest";
import { wavSeconds } from "./wav-length.ts";

interface Sound {
  tag?: number;
  channels?: number;
  rate?: number;
  bits?: number;
  /** The format inside the extensible form. */
  inner?: number;
  /** A chunk before the format. */
  before?: number;
  size?: number;
}

function recording({ tag = 1, channels = 1, rate = 8_000, bits = 16, inner = 1, before = 0, size = 160_000 }: Sound) {
  const view = new DataView(new ArrayBuffer(before + 100));
  const write = (at: number, text: string) => {
    for (let index = 0; index < text.length; index++) view.setUint8(at + index, text.charCodeAt(index));
  };
  write(0, "RIFF");
  write(8, "WAVE");
  let at = 12;
  if (before > 0) {
    write(at, "LIST");
    view.setUint32(at + 4, before - 9, true);
    at += before;
  }
  write(at, "fmt ");
  view.setUint32(at + 4, 40, true);
  view.setUint16(at + 8, tag, true);
  view.setUint16(at + 10, channels, true);
  view.setUint32(at + 12, rate, true);
  view.setUint16(at + 22, bits, true);
  view.setUint16(at + 32, inner, true);
  return { head: new Uint8Array(view.buffer), size };
}

describe("wavSeconds", () => {
  it.each<[string, Sound, number | undefined]>([
    ["16 bits mono", {}, 10],
    ["stereo", { channels: 2 }, 5],
    ["8 bits", { bits: 8 }, 20],
    ["24 bits", { bits: 24, rate: 48_000 }, 2],
    ["floats", { tag: 3, bits: 32 }, 5],
    ["a part of a second", { size: 160_001 }, 11],
    ["the extensible form", { tag: 0xff_fe }, 10],
    ["a chunk of odd length before the format", { before: 18 }, 10],
    ["compressed sound in WAV", { tag: 17 }, undefined],
    ["compressed sound in the extensible form", { tag: 0xff_fe, inner: 17 }, undefined],
    ["no rate", { rate: 0 }, undefined],
    ["no bits", { bits: 0 }, undefined],
    ["nothing behind its header", { size: 40 }, undefined],
  ])("counts all bytes as samples: %s", (_name, sound, seconds) => {
    expect(wavSeconds(recording(sound))).toBe(seconds);
  });

  it.each([
    ["other bytes", Buffer.alloc(100, 1)],
    ["RIFF of another kind", Buffer.from("RIFF    AVI ".padEnd(100))],
    ["a head without the format", Buffer.from("RIFF    WAVELIST\x7f\0\0\0".padEnd(100))],
    ["nothing", Buffer.alloc(0)],
  ])("knows nothing of %s", (_name, head) => {
    expect(wavSeconds({ head, size: 1_000 })).toBeUndefined();
  });

  it("ends with any bytes", () => {
    const zeroes = recording({ before: 0 }).head.fill(0, 12);
    expect(wavSeconds({ head: zeroes, size: 1_000 })).toBeUndefined();
  });
});
