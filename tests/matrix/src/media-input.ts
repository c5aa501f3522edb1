/** What is drawn and said. */
export const prompt = "A cat that counts money";

/** A picture, as far as it is looked at. */
export function picture(): File {
  return new File([Buffer.alloc(5_000, 1)], "a.png", { type: "image/png" });
}

/** Compressed sound, whose length does not follow from its bytes. */
export function mp3(): File {
  return new File([Buffer.alloc(40_000, 7)], "sound.mp3", { type: "audio/mpeg" });
}

/** 12.2 seconds of plain sound: 16 bits, mono, 8 kHz. */
export function wav(): File {
  const bytes = Buffer.alloc(44 + 12.2 * 16_000);
  bytes.write("RIFF", 0, "latin1");
  bytes.writeUInt32LE(bytes.length - 8, 4);
  bytes.write("WAVEfmt ", 8, "latin1");
  bytes.writeUInt32LE(16, 16);
  bytes.writeUInt16LE(1, 20);
  bytes.writeUInt16LE(1, 22);
  bytes.writeUInt32LE(8_000, 24);
  bytes.writeUInt32LE(16_000, 28);
  bytes.writeUInt16LE(2, 32);
  bytes.writeUInt16LE(16, 34);
  bytes.write("data", 36, "latin1");
  bytes.writeUInt32LE(bytes.length - 44, 40);
  return new File([bytes], "sound.wav", { type: "audio/wav" });
}
