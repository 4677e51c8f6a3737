import { MeetraError } from "./errors.js";
import type { AudioEncoding, TrackConfig } from "./generated/messages.js";
import type { AudioPiece } from "./transport.js";

const MAX_PACKETS = 500;
const SAMPLE_BYTES: Partial<Record<AudioEncoding, number>> = {
  AUDIO_ENCODING_PCM_S16LE: 2,
  AUDIO_ENCODING_PCM_F32LE: 4,
  AUDIO_ENCODING_MULAW: 1,
};
// Milliseconds of a frame by the configuration of RFC 6716, section 3.1.
const SILK_MS = [10, 20, 40, 60];
const HYBRID_MS = [10, 20];
const CELT_MS = [2.5, 5, 10, 20];

/** The audio of one track that is not acknowledged yet: what comes in is numbered, and kept until it is on disk. */
export class Outbox {
  readonly trackId: string;
  /** Up to here audio is on the server's disk. */
  acknowledged = 0;
  /** Up to here audio was handed over. */
  end = 0;
  /** Bytes that wait. */
  bytes = 0;
  readonly #packets: boolean;
  readonly #unitBytes: number;
  // From `acknowledged` on.
  #pieces: { data: Uint8Array<ArrayBuffer>; positions: number }[] = [];
  // What is sent ends in this piece, after so many of its positions; packets are sent whole.
  #index = 0;
  #offset = 0;
  #sent = 0;
  #sentBytes = 0;

  constructor(track: TrackConfig) {
    this.trackId = track.track_id ?? "";
    const encoding = track.encoding ?? "AUDIO_ENCODING_UNSPECIFIED";
    this.#packets = encoding === "AUDIO_ENCODING_OPUS";
    // Positions count samples of all channels; in containers, bytes.
    const sampleBytes = SAMPLE_BYTES[encoding];
    this.#unitBytes = sampleBytes === undefined ? 1 : sampleBytes * (track.channels || 1);
  }

  /** Where the server stands, before the first audio. */
  begin(position: number): void {
    this.acknowledged = this.end = this.#sent = position;
  }

  /** Take audio: whole samples, or one Opus packet. It is copied. Throws RangeError. */
  append(audio: ArrayBuffer | ArrayBufferView): void {
    const view = ArrayBuffer.isView(audio)
      ? new Uint8Array(audio.buffer, audio.byteOffset, audio.byteLength)
      : new Uint8Array(audio);
    if (view.length === 0) return;
    if (!this.#packets && view.length % this.#unitBytes) {
      throw new RangeError(`${view.length} bytes are not a whole number of samples of ${this.#unitBytes} bytes`);
    }
    const positions = this.#packets ? opusPacketSamples(view) : view.length / this.#unitBytes;
    this.#pieces.push({ data: new Uint8Array(view), positions });
    this.end += positions;
    this.bytes += view.length;
  }

  /** Bytes that were sent and are not acknowledged. */
  get inFlight(): number {
    return this.#sentBytes;
  }

  /** Whether something waits to be sent. */
  get unsent(): boolean {
    return this.#index < this.#pieces.length;
  }

  /** The oldest audio that was not sent, at most `maxBytes` of it, which is sent now; undefined for none. */
  next(maxBytes: number): AudioPiece | undefined {
    if (!this.unsent) return undefined;
    const firstSample = this.#sent;
    const data = this.#packets ? this.#batch(maxBytes) : this.#samples(maxBytes);
    return { trackId: this.trackId, firstSample, data, lengthPrefixed: this.#packets };
  }

  /** The connection is another: what is not acknowledged is sent again. */
  rewind(): void {
    this.#index = this.#offset = this.#sentBytes = 0;
    this.#sent = this.acknowledged;
  }

  /** Forget what is on disk. Throws MeetraError where the server's position cannot be. */
  acknowledge(position: number): void {
    if (position < this.acknowledged) {
      const text = `the server asks for ${this.trackId} from ${position}, and had acknowledged ${this.acknowledged}`;
      throw new MeetraError(text, 0, "AUDIO_LOST");
    }
    if (position > this.end) {
      const text = `the server has ${this.trackId} up to ${position}, this client ${this.end}: another one sends it`;
      throw new MeetraError(text, 0, "TAKEN_OVER");
    }
    if (position > this.#sent) this.rewind();
    let gone = position - this.acknowledged;
    this.acknowledged = position;
    this.#sent = Math.max(this.#sent, position);
    for (let first = this.#pieces[0]; first !== undefined && gone > 0; first = this.#pieces[0]) {
      if (first.positions <= gone) {
        gone -= first.positions;
        this.#forget(first.data.length);
        this.#pieces.shift();
        if (this.#index > 0) this.#index--;
        else this.#offset = 0;
      } else {
        // Never within an Opus packet: the server takes them whole.
        this.#forget(gone * this.#unitBytes);
        first.data = first.data.subarray(gone * this.#unitBytes);
        first.positions -= gone;
        if (this.#index === 0) this.#offset = Math.max(0, this.#offset - gone);
        gone = 0;
      }
    }
  }

  #forget(bytes: number): void {
    this.bytes -= bytes;
    this.#sentBytes = Math.max(0, this.#sentBytes - bytes);
  }

  #samples(maxBytes: number): Uint8Array<ArrayBuffer> {
    const most = maxBytes - (maxBytes % this.#unitBytes);
    const data = new Uint8Array(Math.min(most, this.bytes - this.#sentBytes));
    let filled = 0;
    for (let piece = this.#pieces[this.#index]; piece && filled < data.length; piece = this.#pieces[this.#index]) {
      const from = this.#offset * this.#unitBytes;
      const part = piece.data.subarray(from, from + data.length - filled);
      data.set(part, filled);
      filled += part.length;
      this.#offset += part.length / this.#unitBytes;
      if (this.#offset === piece.positions) this.#pass();
    }
    this.#sent += filled / this.#unitBytes;
    this.#sentBytes += filled;
    return data;
  }

  #pass(): void {
    this.#index++;
    this.#offset = 0;
  }

  #batch(maxBytes: number): Uint8Array<ArrayBuffer> {
    const packets = [];
    let size = 0;
    for (const { data, positions } of this.#pieces.slice(this.#index, this.#index + MAX_PACKETS)) {
      // One that is too large by itself is the server's to refuse.
      if (packets.length > 0 && size + 4 + data.length > maxBytes) break;
      packets.push(data);
      size += 4 + data.length;
      this.#sent += positions;
      this.#sentBytes += data.length;
      this.#pass();
    }
    const batch = new Uint8Array(size);
    const lengths = new DataView(batch.buffer);
    let at = 0;
    for (const packet of packets) {
      lengths.setUint32(at, packet.length);
      batch.set(packet, at + 4);
      at += 4 + packet.length;
    }
    return batch;
  }
}

/** Samples at 48 kHz of one Opus packet, by its first bytes (RFC 6716, section 3). Throws RangeError. */
export function opusPacketSamples(packet: Uint8Array): number {
  const [toc, count] = packet;
  if (toc === undefined) throw new RangeError("an Opus packet is not empty");
  const mode = toc >> 3;
  const ms = mode < 12 ? SILK_MS[mode % 4] : mode < 16 ? HYBRID_MS[mode % 2] : CELT_MS[mode % 4];
  const code = toc & 3;
  if (code === 3 && count === undefined) throw new RangeError("an Opus packet of several frames says how many");
  const frames = code === 0 ? 1 : code === 3 ? (count ?? 0) & 63 : 2;
  return (ms ?? 0) * 48 * frames;
}
