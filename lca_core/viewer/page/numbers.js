"use strict";
/* The avatar's numbers, out of the page that they are written into. Nothing is fetched. */

const ARRAYS = { int8: Int8Array, uint8: Uint8Array, int16: Int16Array, uint32: Uint32Array, float32: Float32Array };

/** The header (a JSON object) and its arrays by name, as the header's "arrays" lays them out in the packed bytes. */
async function readAvatar() {
  const header = JSON.parse(document.getElementById("header").textContent);
  const text = atob(document.getElementById("numbers").textContent.trim());
  const packed = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) packed[i] = text.charCodeAt(i);
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  const bytes = await new Response(stream).arrayBuffer();
  const arrays = {};
  for (const [name, { type, start, count }] of Object.entries(header.arrays)) {
    arrays[name] = new ARRAYS[type](bytes, start, count);
  }
  return { header, arrays };
}

/** Planes of numbers [planes, length], each with a scale and a middle of its own, as floats. */
function planes(whole, scales, middles) {
  const length = whole.length / scales.length;
  const values = new Float32Array(whole.length);
  for (let plane = 0; plane < scales.length; plane++) {
    for (let i = plane * length; i < (plane + 1) * length; i++) values[i] = middles[plane] + scales[plane] * whole[i];
  }
  return values;
}
