// The 3-D view of the report: WebGL 2, no library, nothing loaded from anywhere.
"use strict";
(async function () {
  const root = document.getElementById("viewer");
  if (!root) return;
  const get = (id) => document.getElementById(id);
  const say = (text) => { get("viewer-note").textContent = text; };
  const canvas = root.querySelector("canvas");
  const gl = canvas.getContext("webgl2", { antialias: true, preserveDrawingBuffer: true });
  if (!gl) { say("This browser has no WebGL 2; the pictures on this page show the same model."); return; }
  if (typeof DecompressionStream === "undefined") { say("This browser is too old to unpack the 3-D model."); return; }
  say("Unpacking the model …");

  // ---------------------------------------------------------------- data
  const data = JSON.parse(get("viewer-data").textContent);
  const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  async function unpack(text, Kind) {
    const stream = new Blob([bytes(text)]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Kind(await new Response(stream).arrayBuffer());
  }
  const packed = await unpack(data.points, Uint16Array);
  const tets = await unpack(data.tets, Uint32Array);
  const nodes = packed.length / 3, cells = tets.length / 4;
  const rest = new Float32Array(packed.length);
  for (let i = 0; i < packed.length; i++) rest[i] = data.low[i % 3] + packed[i] * data.size / 65535;
  for (const s of data.strategies) {
    s.material = await unpack(s.material, Uint8Array);
    for (const name in s.fields) s.fields[name] = await unpack(s.fields[name], Uint8Array);
    if (s.displacement) s.displacement = await unpack(s.displacement, Int16Array);
  }
  const faceOf = [[0, 1, 3], [1, 2, 3], [2, 0, 3], [0, 2, 1]];
  const neighbour = new Int32Array(4 * cells).fill(-1);
  {
    const seen = new Map();
    for (let c = 0; c < cells; c++) for (let f = 0; f < 4; f++) {
      let [a, b, d] = faceOf[f].map((k) => tets[4 * c + k]);
      if (a > b) [a, b] = [b, a];
      if (b > d) [b, d] = [d, b];
      if (a > b) [a, b] = [b, a];
      const key = (a * nodes + b) * nodes + d;
      const other = seen.get(key);
      if (other === undefined) seen.set(key, 4 * c + f);
      else { neighbour[4 * c + f] = other >> 2; neighbour[other] = c; seen.delete(key); }
    }
  }

  // ---------------------------------------------------------------- controls
  const view = { zoom: 1, pan: [0, 0] };
  const shownMaterial = data.materials.map(() => true);
  data.materials.forEach((m, i) => {
    const label = document.createElement("label"), box = document.createElement("input"), mark = document.createElement("span");
    box.type = "checkbox"; box.checked = true;
    box.addEventListener("change", () => { shownMaterial[i] = box.checked; rebuild(); });
    mark.className = "swatch"; mark.style.background = m.colour;
    label.append(box, mark, m.name);
    get("viewer-materials").append(label);
  });
  data.strategies.forEach((s, i) => get("viewer-strategy").add(new Option(s.label, i)));
  if (data.strategies.length > 1) get("viewer-strategy").add(new Option("all side by side", "all"));
  get("viewer-strategy").value = data.strategies.length - 1;
  get("viewer-field").add(new Option("material", ""));
  for (const f of data.fields) get("viewer-field").add(new Option(f.label + (f.unit ? " [" + f.unit + "]" : ""), f.name));
  get("viewer-scale").closest("label").hidden = !data.strategies.some((s) => s.displacement);
  for (const id of ["viewer-strategy", "viewer-field", "viewer-cut", "viewer-depth", "viewer-scale"])
    get(id).addEventListener("input", () => later(rebuild));
  get("viewer-reset").addEventListener("click", () => { start(); draw(); });
  get("viewer-near").addEventListener("click", () => { nearby(); draw(); });
  let waiting = 0;
  const later = (work) => { cancelAnimationFrame(waiting); waiting = requestAnimationFrame(work); };
  const chosen = () => {
    const value = get("viewer-strategy").value;
    return value === "all" ? data.strategies : [data.strategies[value]];
  };

  // ---------------------------------------------------------------- colours
  const rgb = (code) => [1, 3, 5].map((k) => parseInt(code.slice(k, k + 2), 16));
  const materialColour = Uint8Array.from(data.materials.flatMap((m) => rgb(m.colour)));
  for (const f of data.fields) f.table = Uint8Array.from([...bytes(f.colours), ...rgb(data.missing)]);

  // ---------------------------------------------------------------- triangles
  class Growing {
    constructor(Kind) { this.Kind = Kind; this.data = new Kind(1 << 16); this.length = 0; }
    room(n) { if (this.length + n > this.data.length) { const more = new this.Kind(2 * this.data.length + n); more.set(this.data); this.data = more; } }
    three(a, b, c) { this.room(3); this.data[this.length++] = a; this.data[this.length++] = b; this.data[this.length++] = c; }
    one(a) { this.room(1); this.data[this.length++] = a; }
    done() { return this.data.subarray(0, this.length); }
  }
  let plane = null; // [nx, ny, nz, offset]
  function cutPlane() {
    const kind = get("viewer-cut").value;
    if (kind === "none") return null;
    const n = kind === "lesion" ? data.toward : data.directions[kind];
    let low = Infinity, high = -Infinity;
    for (let i = 0; i < nodes; i++) {
      const h = n[0] * rest[3 * i] + n[1] * rest[3 * i + 1] + n[2] * rest[3 * i + 2];
      if (h < low) low = h;
      if (h > high) high = h;
    }
    const middle = n[0] * data.target[0] + n[1] * data.target[1] + n[2] * data.target[2];
    const t = get("viewer-depth").value / 100; // 0.5 is the lesion, the ends are the ends of the bone
    return [...n, t < 0.5 ? low + (middle - low) * 2 * t : middle + (high - middle) * (2 * t - 1)];
  }
  function triangles(s, field, scale) {
    const table = field ? field.table : materialColour, index = field ? s.fields[field.name] : s.material;
    const p = Float32Array.from(rest);
    if (s.displacement && scale > 0)
      for (let i = 0; i < p.length; i++) p[i] += scale * s.displacement[i] * s.displacementTop / 32767;
    const height = plane && new Float32Array(nodes);
    if (plane) for (let i = 0; i < nodes; i++) height[i] = plane[0] * p[3 * i] + plane[1] * p[3 * i + 1] + plane[2] * p[3 * i + 2] - plane[3];
    const position = new Growing(Float32Array), colour = new Growing(Uint8Array), faces = new Growing(Uint32Array), owner = new Growing(Uint32Array);
    const shown = new Uint8Array(cells);
    for (let c = 0; c < cells; c++) shown[c] = shownMaterial[s.material[c]] ? 1 : 0;
    const paint = (c) => { const k = 3 * index[c]; for (let j = 0; j < 3; j++) colour.three(table[k], table[k + 1], table[k + 2]); owner.one(c); };
    const smooth = new Float32Array(3 * nodes);
    for (let c = 0; c < cells; c++) if (shown[c]) for (let f = 0; f < 4; f++) {
      const next = neighbour[4 * c + f];
      if (next >= 0 && shown[next]) continue;
      const a = tets[4 * c + faceOf[f][0]], b = tets[4 * c + faceOf[f][1]], d = tets[4 * c + faceOf[f][2]];
      if (height && height[a] > 0 && height[b] > 0 && height[d] > 0) continue;
      const ux = p[3 * b] - p[3 * a], uy = p[3 * b + 1] - p[3 * a + 1], uz = p[3 * b + 2] - p[3 * a + 2];
      const vx = p[3 * d] - p[3 * a], vy = p[3 * d + 1] - p[3 * a + 1], vz = p[3 * d + 2] - p[3 * a + 2];
      const nx = uy * vz - uz * vy, ny = uz * vx - ux * vz, nz = ux * vy - uy * vx;
      for (const k of [a, b, d]) {
        smooth[3 * k] += nx; smooth[3 * k + 1] += ny; smooth[3 * k + 2] += nz;
        position.three(p[3 * k], p[3 * k + 1], p[3 * k + 2]);
      }
      faces.three(a, b, d); paint(c);
    }
    const corner = faces.done(), outside = corner.length;
    if (plane) for (let c = 0; c < cells; c++) if (shown[c]) {
      const up = [], down = [];
      for (let k = 0; k < 4; k++) (height[tets[4 * c + k]] > 0 ? up : down).push(tets[4 * c + k]);
      if (!up.length || !down.length) continue;
      const at = (i, j) => { const t = height[i] / (height[i] - height[j]); return [0, 1, 2].map((k) => p[3 * i + k] + t * (p[3 * j + k] - p[3 * i + k])); };
      let cut;
      if (up.length === 1) cut = [down.map((d) => at(up[0], d))];
      else if (down.length === 1) cut = [up.map((u) => at(u, down[0]))];
      else {
        const q = [at(up[0], down[0]), at(up[0], down[1]), at(up[1], down[1]), at(up[1], down[0])];
        cut = [[q[0], q[1], q[2]], [q[0], q[2], q[3]]];
      }
      for (const t of cut) { for (const v of t) position.three(v[0], v[1], v[2]); paint(c); }
    }
    const where = position.done(), normal = new Float32Array(where.length); // a zero normal marks the cut: its colour is data, not shaded
    for (let i = 0; i < outside; i++) for (let j = 0; j < 3; j++) normal[3 * i + j] = smooth[3 * corner[i] + j];
    return { position: where, normal, colour: colour.done(), owner: owner.done(), count: where.length / 3, strategy: s };
  }
  let parts = [];
  function rebuild() {
    const field = data.fields.find((f) => f.name === get("viewer-field").value);
    get("viewer-key").hidden = !field;
    if (field) {
      get("viewer-key").querySelector(".key").style.background = "linear-gradient(to right, " + field.gradient + ")";
      const round = (x) => Number(x.toPrecision(3)).toString();
      const ends = [field.low, (field.low + field.high) / 2, field.high].map(round);
      get("viewer-key").querySelectorAll("span").forEach((e, i) => { e.textContent = ends[i]; });
    }
    const scale = Number(get("viewer-scale").value);
    get("viewer-scale-value").textContent = scale === 0 ? "off" : scale + " ×";
    plane = cutPlane();
    const now = chosen();
    get("viewer-names").replaceChildren(...(now.length > 1 ? now : []).map((s) => { const e = document.createElement("span"); e.textContent = s.label; return e; }));
    for (const part of parts) part.buffers.forEach((b) => gl.deleteBuffer(b));
    parts = now.map((s) => upload(triangles(s, field, scale)));
    root.dataset.triangles = String(parts.reduce((sum, part) => sum + part.count / 3, 0));
    draw();
  }

  // ---------------------------------------------------------------- WebGL
  const source = {
    [gl.VERTEX_SHADER]: `#version 300 es
      in vec3 position, normal, colour; uniform mat3 turn; uniform vec3 middle; uniform vec2 scale, pan; uniform float depth;
      out vec3 paint, bend, place;
      void main() { vec3 seen = turn * (position - middle); place = position; bend = turn * normal; paint = colour;
        gl_Position = vec4(seen.xy * scale + pan, -seen.z * depth, 1.0); }`,
    [gl.FRAGMENT_SHADER]: `#version 300 es
      precision highp float; in vec3 paint, bend, place; out vec4 colour; uniform vec4 plane; uniform bool cut;
      void main() { if (cut && dot(plane.xyz, place) - plane.w > 1e-3) discard;
        float size = length(bend), light = 1.0;
        if (size > 1e-9) { vec3 n = bend / size; if (n.z < 0.0) n = -n; light = 0.42 + 0.58 * max(0.0, dot(n, normalize(vec3(-0.32, 0.38, 0.87)))); }
        colour = vec4(paint * light, 1.0); }`,
  };
  const program = gl.createProgram();
  for (const kind of [gl.VERTEX_SHADER, gl.FRAGMENT_SHADER]) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, source[kind]); gl.compileShader(shader); gl.attachShader(program, shader);
  }
  const inputs = [["position", gl.FLOAT, false], ["normal", gl.FLOAT, false], ["colour", gl.UNSIGNED_BYTE, true]];
  inputs.forEach(([name], i) => gl.bindAttribLocation(program, i, name));
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS)) { say("The graphics driver refused the 3-D view; the pictures on this page show the same model."); return; }
  gl.useProgram(program);
  const uniform = (name) => gl.getUniformLocation(program, name);
  function upload(part) {
    part.buffers = inputs.map(([name]) => {
      const buffer = gl.createBuffer();
      gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
      gl.bufferData(gl.ARRAY_BUFFER, part[name], gl.STATIC_DRAW);
      return buffer;
    });
    return part;
  }
  const middle = [0, 1, 2].map((j) => { let a = Infinity, b = -Infinity; for (let i = j; i < rest.length; i += 3) { a = Math.min(a, rest[i]); b = Math.max(b, rest[i]); } return (a + b) / 2; });
  const cross = (a, b) => [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
  const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
  let rows, focus = middle; // rows: right, up, towards the viewer
  function start() {
    rows = [cross(data.directions.proximal, data.toward), data.directions.proximal, data.toward];
    focus = middle; view.zoom = 1; view.pan = [0, 0]; turnBy(0.35, 0.15);
  }
  function nearby() { focus = data.target; view.zoom = data.size / (1.15 * data.near); view.pan = [0, 0]; }
  function turnBy(x, y) {
    const mix = (a, b, t) => [a.map((v, k) => v * Math.cos(t) + b[k] * Math.sin(t)), b.map((v, k) => v * Math.cos(t) - a[k] * Math.sin(t))];
    let [r, u, t] = rows;
    [r, t] = mix(r, t, x); [u, t] = mix(u, t, y);
    rows = [r, u, t];
  }
  // the viewport of one of several strategies, in pixels, and its scale
  function box(i) {
    const ratio = window.devicePixelRatio || 1, wide = Math.round(canvas.clientWidth * ratio), high = Math.round(canvas.clientHeight * ratio);
    const each = Math.floor(wide / parts.length), s = 1.8 * view.zoom / data.size;
    return { wide, high, each, left: i * each, scale: [s * Math.min(1, high / each), s * Math.min(1, each / high)] };
  }
  function draw() {
    const { wide, high } = box(0);
    if (canvas.width !== wide || canvas.height !== high) { canvas.width = wide; canvas.height = high; }
    gl.viewport(0, 0, wide, high);
    gl.clearColor(0, 0, 0, 0); gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT); gl.enable(gl.DEPTH_TEST);
    gl.uniformMatrix3fv(uniform("turn"), true, rows.flat());
    gl.uniform3fv(uniform("middle"), focus);
    gl.uniform2fv(uniform("pan"), view.pan);
    gl.uniform1f(uniform("depth"), 0.3 / data.size);
    gl.uniform1i(uniform("cut"), plane ? 1 : 0);
    gl.uniform4fv(uniform("plane"), plane || [0, 0, 0, 0]);
    parts.forEach((part, i) => {
      const b = box(i);
      gl.viewport(b.left, 0, b.each, b.high);
      gl.uniform2fv(uniform("scale"), b.scale);
      inputs.forEach(([, type, norm], k) => {
        gl.bindBuffer(gl.ARRAY_BUFFER, part.buffers[k]);
        gl.enableVertexAttribArray(k); gl.vertexAttribPointer(k, 3, type, norm, 0, 0);
      });
      gl.drawArrays(gl.TRIANGLES, 0, part.count);
    });
  }

  // ---------------------------------------------------------------- probe: what lies under the pointer
  function probe(x, y) {
    const ratio = window.devicePixelRatio || 1, i = Math.min(parts.length - 1, Math.floor(x * ratio / box(0).each)), b = box(i), part = parts[i];
    const px = (2 * (x * ratio - b.left) / b.each - 1 - view.pan[0]) / b.scale[0], py = (1 - 2 * y * ratio / b.high - view.pan[1]) / b.scale[1];
    let best = -Infinity, cell = -1;
    const p = part.position;
    for (let t = 0; t < part.count / 3; t++) {
      const q = [];
      for (let k = 0; k < 3; k++) {
        const v = [p[9 * t + 3 * k] - focus[0], p[9 * t + 3 * k + 1] - focus[1], p[9 * t + 3 * k + 2] - focus[2]];
        q.push([dot(rows[0], v) - px, dot(rows[1], v) - py, dot(rows[2], v)]);
      }
      const area = (q[1][0] - q[0][0]) * (q[2][1] - q[0][1]) - (q[2][0] - q[0][0]) * (q[1][1] - q[0][1]);
      const w = [q[1][0] * q[2][1] - q[2][0] * q[1][1], q[2][0] * q[0][1] - q[0][0] * q[2][1], q[0][0] * q[1][1] - q[1][0] * q[0][1]].map((value) => value / area);
      if (!(Math.min(...w) >= 0)) continue;
      const z = w[0] * q[0][2] + w[1] * q[1][2] + w[2] * q[2][2];
      const place = [0, 1, 2].map((j) => w[0] * p[9 * t + j] + w[1] * p[9 * t + 3 + j] + w[2] * p[9 * t + 6 + j]);
      if (z > best && !(plane && dot(plane, place) - plane[3] > 1e-3)) { best = z; cell = part.owner[t]; }
    }
    if (cell < 0) { get("viewer-probe").textContent = ""; return; }
    const s = part.strategy, texts = [s.label + ": " + data.materials[s.material[cell]].name];
    for (const f of data.fields) {
      const level = s.fields[f.name][cell], value = f.low + level / 254 * (f.high - f.low);
      const text = level === 255 ? "not judged" : (level === 254 ? "≥ " : level === 0 ? "≤ " : "") + Number(value.toPrecision(3)) + " " + f.unit;
      texts.push(f.label + " " + text.trim());
    }
    get("viewer-probe").textContent = texts.join(" · ");
  }

  // ---------------------------------------------------------------- hands
  const fingers = new Map();
  let spread = 0, moved = 0;
  canvas.addEventListener("pointerdown", (e) => { canvas.setPointerCapture(e.pointerId); fingers.set(e.pointerId, [e.clientX, e.clientY]); spread = 0; moved = 0; });
  canvas.addEventListener("pointermove", (e) => {
    const before = fingers.get(e.pointerId);
    if (!before) return;
    const dx = e.clientX - before[0], dy = e.clientY - before[1];
    moved += Math.abs(dx) + Math.abs(dy);
    fingers.set(e.pointerId, [e.clientX, e.clientY]);
    if (fingers.size === 2) {
      const [a, b] = [...fingers.values()], now = Math.hypot(a[0] - b[0], a[1] - b[1]);
      if (spread) view.zoom *= now / spread;
      spread = now;
    }
    if (fingers.size === 2 || e.shiftKey || e.buttons === 2) { view.pan[0] += 2 * parts.length * dx / canvas.clientWidth; view.pan[1] -= 2 * dy / canvas.clientHeight; }
    else turnBy(-dx * 0.008, dy * 0.008);
    later(draw);
  });
  canvas.addEventListener("pointerup", (e) => { if (moved < 4 && fingers.size === 1) { const r = canvas.getBoundingClientRect(); probe(e.clientX - r.left, e.clientY - r.top); } });
  for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, (e) => { fingers.delete(e.pointerId); spread = 0; });
  canvas.addEventListener("contextmenu", (e) => e.preventDefault());
  canvas.addEventListener("wheel", (e) => { if (!e.ctrlKey && document.activeElement !== canvas) return; e.preventDefault(); view.zoom *= Math.exp(-e.deltaY * 0.001); later(draw); }, { passive: false });
  canvas.addEventListener("keydown", (e) => {
    const step = { ArrowLeft: [0.1, 0], ArrowRight: [-0.1, 0], ArrowUp: [0, -0.1], ArrowDown: [0, 0.1] }[e.key];
    const page = { PageUp: 2, PageDown: -2 }[e.key];
    if (step) turnBy(...step);
    else if (page) { get("viewer-depth").value = Number(get("viewer-depth").value) + page; rebuild(); }
    else if (e.key === "+" || e.key === "=") view.zoom *= 1.15;
    else if (e.key === "-") view.zoom /= 1.15;
    else if (e.key === "Home") start();
    else return;
    e.preventDefault(); later(draw);
  });
  new ResizeObserver(draw).observe(canvas);
  start(); rebuild();
  say("Drag to turn, shift-drag to move, + and - (or the wheel after a click) to zoom, click to read values; arrow keys work too.");
})();
