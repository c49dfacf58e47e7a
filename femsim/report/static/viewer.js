// The 3-D view of the report: WebGL 2, no library, nothing loaded from anywhere.
"use strict";
(async function () {
  const root = document.getElementById("viewer");
  if (!root) return;
  const say = (text) => { document.getElementById("viewer-note").textContent = text; };
  const canvas = root.querySelector("canvas");
  const gl = canvas.getContext("webgl2", { antialias: true, preserveDrawingBuffer: true });
  if (!gl) { say("This browser has no WebGL 2; the pictures above show the same model."); return; }
  if (typeof DecompressionStream === "undefined") { say("This browser is too old to unpack the 3-D model."); return; }

  // ---------------------------------------------------------------- data
  const data = JSON.parse(document.getElementById("viewer-data").textContent);
  async function unpack(text, Kind) {
    const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Kind(await new Response(stream).arrayBuffer());
  }
  const packed = await unpack(data.points, Uint16Array);
  const tets = await unpack(data.tets, Uint32Array);
  const nodes = packed.length / 3, cells = tets.length / 4;
  const rest = new Float32Array(packed.length);
  for (let i = 0; i < packed.length; i++) rest[i] = data.low[i % 3] + packed[i] * data.size / 65535;
  for (const s of data.strategies) {
    s.material = await unpack(s.material, Uint8Array);
    if (s.risk) s.risk = await unpack(s.risk, Uint8Array);
    if (s.displacement) s.displacement = await unpack(s.displacement, Int16Array);
  }
  const faceOf = [[0, 1, 3], [1, 2, 3], [2, 0, 3], [0, 2, 1]];
  const neighbour = new Int32Array(4 * cells).fill(-1);
  {
    const seen = new Map();
    for (let c = 0; c < cells; c++) for (let f = 0; f < 4; f++) {
      const v = faceOf[f].map((k) => tets[4 * c + k]).sort((a, b) => a - b);
      const key = (v[0] * nodes + v[1]) * nodes + v[2];
      const other = seen.get(key);
      if (other === undefined) seen.set(key, 4 * c + f);
      else { neighbour[4 * c + f] = other >> 2; neighbour[other] = c; seen.delete(key); }
    }
  }

  // ---------------------------------------------------------------- state and controls
  const get = (id) => document.getElementById(id);
  const view = { turn: [1, 0, 0, 0], zoom: 1, pan: [0, 0] };
  const shownMaterial = data.materials.map(() => true);
  const boxes = get("viewer-materials");
  data.materials.forEach((m, i) => {
    const label = document.createElement("label"), box = document.createElement("input"), mark = document.createElement("span");
    box.type = "checkbox"; box.checked = true;
    box.addEventListener("change", () => { shownMaterial[i] = box.checked; rebuild(); });
    mark.className = "swatch"; mark.style.background = m.colour;
    label.append(box, mark, " " + m.name);
    boxes.append(label);
  });
  data.strategies.forEach((s, i) => get("viewer-strategy").add(new Option(s.label, i)));
  get("viewer-strategy").value = data.strategies.length - 1;
  for (const id of ["viewer-strategy", "viewer-field", "viewer-cut", "viewer-depth", "viewer-scale"])
    get(id).addEventListener("input", () => rebuild());
  get("viewer-reset").addEventListener("click", () => { start(); draw(); });

  // ---------------------------------------------------------------- colours
  const rgb = (code) => [1, 3, 5].map((k) => parseInt(code.slice(k, k + 2), 16));
  const materialColour = data.materials.map((m) => rgb(m.colour));
  const riskColour = [];
  for (let b = 0; b < 255; b++) {
    const value = Math.min(b / 254 * data.risk.top, 2), stops = data.risk.stops;
    let k = 1;
    while (k < stops.length - 1 && value > stops[k][0]) k++;
    const t = Math.min(1, Math.max(0, (value - stops[k - 1][0]) / (stops[k][0] - stops[k - 1][0])));
    const a = rgb(stops[k - 1][1]), z = rgb(stops[k][1]);
    riskColour.push(a.map((x, j) => x + t * (z[j] - x)));
  }
  riskColour.push(rgb(data.risk.missing));

  // ---------------------------------------------------------------- triangles
  let mesh = { position: new Float32Array(), normal: new Float32Array(), colour: new Uint8Array(), count: 0 };
  let plane = null; // [nx, ny, nz, offset]
  function cutPlane() {
    const kind = get("viewer-cut").value;
    if (kind === "none") return null;
    const n = kind === "lesion" ? data.toward : data.directions[kind];
    let low = Infinity, high = -Infinity;
    for (let i = 0; i < nodes; i++) {
      const h = n[0] * rest[3 * i] + n[1] * rest[3 * i + 1] + n[2] * rest[3 * i + 2];
      low = Math.min(low, h); high = Math.max(high, h);
    }
    const middle = n[0] * data.target[0] + n[1] * data.target[1] + n[2] * data.target[2];
    const t = get("viewer-depth").value / 100; // 0.5 is the lesion, the ends are the ends of the bone
    return [...n, t < 0.5 ? low + (middle - low) * 2 * t : middle + (high - middle) * (2 * t - 1)];
  }
  function rebuild() {
    const s = data.strategies[get("viewer-strategy").value];
    const risk = get("viewer-field").value === "risk" && s.risk;
    get("viewer-risk-key").hidden = !risk;
    const scale = Number(get("viewer-scale").value);
    get("viewer-scale-value").textContent = scale === 0 ? "off" : scale + " ×";
    const p = Float32Array.from(rest);
    if (s.displacement && scale > 0)
      for (let i = 0; i < p.length; i++) p[i] += scale * s.displacement[i] * s.displacementTop / 32767;
    plane = cutPlane();
    const height = plane && Float32Array.from({ length: nodes }, (_, i) =>
      plane[0] * p[3 * i] + plane[1] * p[3 * i + 1] + plane[2] * p[3 * i + 2] - plane[3]);
    const position = [], colour = [], faces = [];
    const shown = new Uint8Array(cells);
    for (let c = 0; c < cells; c++) shown[c] = shownMaterial[s.material[c]] ? 1 : 0;
    const paint = (c) => { const k = risk ? riskColour[s.risk[c]] : materialColour[s.material[c]]; colour.push(...k, ...k, ...k); };
    const smooth = new Float32Array(3 * nodes);
    for (let c = 0; c < cells; c++) if (shown[c]) for (let f = 0; f < 4; f++) {
      const next = neighbour[4 * c + f];
      if (next >= 0 && shown[next]) continue;
      const [a, b, d] = faceOf[f].map((k) => tets[4 * c + k]);
      if (height && height[a] > 0 && height[b] > 0 && height[d] > 0) continue;
      const ux = p[3 * b] - p[3 * a], uy = p[3 * b + 1] - p[3 * a + 1], uz = p[3 * b + 2] - p[3 * a + 2];
      const vx = p[3 * d] - p[3 * a], vy = p[3 * d + 1] - p[3 * a + 1], vz = p[3 * d + 2] - p[3 * a + 2];
      const n = [uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx];
      for (const k of [a, b, d]) for (let j = 0; j < 3; j++) { smooth[3 * k + j] += n[j]; position.push(p[3 * k + j]); }
      faces.push(a, b, d); paint(c);
    }
    const normal = faces.flatMap((k) => [smooth[3 * k], smooth[3 * k + 1], smooth[3 * k + 2]]);
    if (plane) for (let c = 0; c < cells; c++) if (shown[c]) {
      const up = [], down = [];
      for (let k = 0; k < 4; k++) (height[tets[4 * c + k]] > 0 ? up : down).push(tets[4 * c + k]);
      if (!up.length || !down.length) continue;
      const at = (i, j) => { const t = height[i] / (height[i] - height[j]); return [0, 1, 2].map((k) => p[3 * i + k] + t * (p[3 * j + k] - p[3 * i + k])); };
      let tri;
      if (up.length === 1) tri = [down.map((d) => at(up[0], d))];
      else if (down.length === 1) tri = [up.map((u) => at(u, down[0]))];
      else {
        const q = [at(up[0], down[0]), at(up[0], down[1]), at(up[1], down[1]), at(up[1], down[0])];
        tri = [[q[0], q[1], q[2]], [q[0], q[2], q[3]]];
      }
      // a zero normal marks the cut: its colour is data and is not shaded
      for (const t of tri) { for (const v of t) { position.push(...v); normal.push(0, 0, 0); } paint(c); }
    }
    mesh = { position: new Float32Array(position), normal: new Float32Array(normal), colour: new Uint8Array(colour), count: position.length / 3 };
    upload();
    root.dataset.triangles = String(mesh.count / 3);
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
  ["position", "normal", "colour"].forEach((name, i) => gl.bindAttribLocation(program, i, name));
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS)) { say("The graphics driver refused the 3-D view."); return; }
  gl.useProgram(program);
  const uniform = (name) => gl.getUniformLocation(program, name);
  const buffers = [gl.createBuffer(), gl.createBuffer(), gl.createBuffer()];
  function upload() {
    [["position", gl.FLOAT, false], ["normal", gl.FLOAT, false], ["colour", gl.UNSIGNED_BYTE, true]].forEach(([name, type, norm], i) => {
      gl.bindBuffer(gl.ARRAY_BUFFER, buffers[i]);
      gl.bufferData(gl.ARRAY_BUFFER, mesh[name], gl.DYNAMIC_DRAW);
      gl.enableVertexAttribArray(i); gl.vertexAttribPointer(i, 3, type, norm, 0, 0);
    });
  }
  const middle = [0, 1, 2].map((j) => { let a = Infinity, b = -Infinity; for (let i = j; i < rest.length; i += 3) { a = Math.min(a, rest[i]); b = Math.max(b, rest[i]); } return (a + b) / 2; });
  const cross = (a, b) => [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
  let rows; // right, up, towards the viewer
  function start() {
    rows = [cross(data.directions.proximal, data.toward), data.directions.proximal, data.toward];
    view.zoom = 1; view.pan = [0, 0]; turnBy(0.35, 0.15);
  }
  function turnBy(x, y) {
    const mix = (a, b, t) => [a.map((v, k) => v * Math.cos(t) + b[k] * Math.sin(t)), b.map((v, k) => v * Math.cos(t) - a[k] * Math.sin(t))];
    let [r, u, t] = rows;
    [r, t] = mix(r, t, x); [u, t] = mix(u, t, y);
    rows = [r, u, t];
  }
  function draw() {
    const ratio = window.devicePixelRatio || 1, wide = Math.round(canvas.clientWidth * ratio), high = Math.round(canvas.clientHeight * ratio);
    if (canvas.width !== wide || canvas.height !== high) { canvas.width = wide; canvas.height = high; }
    gl.viewport(0, 0, wide, high);
    gl.clearColor(0, 0, 0, 0); gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT); gl.enable(gl.DEPTH_TEST);
    const s = 1.8 * view.zoom / data.size;
    gl.uniformMatrix3fv(uniform("turn"), true, rows.flat());
    gl.uniform3fv(uniform("middle"), middle);
    gl.uniform2f(uniform("scale"), s * Math.min(1, high / wide), s * Math.min(1, wide / high));
    gl.uniform2fv(uniform("pan"), view.pan);
    gl.uniform1f(uniform("depth"), 0.45 / data.size);
    gl.uniform1i(uniform("cut"), plane ? 1 : 0);
    gl.uniform4fv(uniform("plane"), plane || [0, 0, 0, 0]);
    gl.drawArrays(gl.TRIANGLES, 0, mesh.count);
  }

  // ---------------------------------------------------------------- hands
  const fingers = new Map();
  let spread = 0;
  canvas.addEventListener("pointerdown", (e) => { canvas.setPointerCapture(e.pointerId); fingers.set(e.pointerId, [e.clientX, e.clientY]); spread = 0; });
  canvas.addEventListener("pointermove", (e) => {
    const before = fingers.get(e.pointerId);
    if (!before) return;
    const dx = e.clientX - before[0], dy = e.clientY - before[1];
    fingers.set(e.pointerId, [e.clientX, e.clientY]);
    if (fingers.size === 2) {
      const [a, b] = [...fingers.values()], now = Math.hypot(a[0] - b[0], a[1] - b[1]);
      if (spread) view.zoom *= now / spread;
      spread = now;
    }
    if (fingers.size === 2 || e.shiftKey || e.buttons === 2) { view.pan[0] += 2 * dx / canvas.clientWidth; view.pan[1] -= 2 * dy / canvas.clientHeight; }
    else turnBy(-dx * 0.008, dy * 0.008);
    draw();
  });
  for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, (e) => { fingers.delete(e.pointerId); spread = 0; });
  canvas.addEventListener("contextmenu", (e) => e.preventDefault());
  canvas.addEventListener("wheel", (e) => { if (!e.ctrlKey && document.activeElement !== canvas) return; e.preventDefault(); view.zoom *= Math.exp(-e.deltaY * 0.001); draw(); }, { passive: false });
  canvas.addEventListener("keydown", (e) => {
    const step = { ArrowLeft: [0.1, 0], ArrowRight: [-0.1, 0], ArrowUp: [0, -0.1], ArrowDown: [0, 0.1] }[e.key];
    if (step) turnBy(...step);
    else if (e.key === "+" || e.key === "=") view.zoom *= 1.15;
    else if (e.key === "-") view.zoom /= 1.15;
    else if (e.key === "Home") start();
    else return;
    e.preventDefault(); draw();
  });
  new ResizeObserver(draw).observe(canvas);
  start(); rebuild();
  say("Drag to turn, shift-drag to move, + and - (or the wheel after a click) to zoom; arrow keys work too.");
})();
