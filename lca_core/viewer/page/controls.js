"use strict";
/* Sliders and buttons, and the driving signal that they and a motion make together. */

class Controls {
  /** header: groups of sliders, rest and motions, as Python wrote them; changed: called when a slider or motion changes. */
  constructor(header, changed) {
    this.header = header;
    this.changed = changed;
    this.values = {}; // of sliders, by name
    this.inputs = {};
    this.motion = null;
    const groups = document.getElementById("groups");
    for (const group of header.groups) groups.append(this.group(group));
    this.motions = choices(
      document.getElementById("motions"), ["Stand", ...Object.keys(header.motions)], (name) => this.play(name),
    );
    this.play("Stand");
    document.getElementById("reset").addEventListener("click", () => this.reset());
  }

  /** A foldable group of sliders, under buttons that set several of them at once. */
  group({ name, open, sliders, presets }) {
    const box = document.createElement("details");
    box.open = open && window.innerWidth > 760; // on a phone a list of names is shorter
    const title = document.createElement("summary");
    title.textContent = name;
    box.append(title);
    if (Object.keys(presets).length) {
      const row = document.createElement("div");
      row.className = "chips";
      for (const [preset, values] of Object.entries(presets)) {
        row.append(button(preset, () => {
          for (const slider of sliders) this.set(slider.name, values[slider.name] ?? slider.value);
          this.changed();
        }));
      }
      box.append(row);
    }
    for (const slider of sliders) box.append(this.slider(slider));
    return box;
  }

  slider({ name, label, low, high, value, angle }) {
    const row = document.createElement("label");
    row.className = "slider";
    const words = document.createElement("span");
    words.textContent = label;
    const input = document.createElement("input");
    Object.assign(input, { type: "range", min: low, max: high, step: 0.01, value, name });
    const shown = document.createElement("output");
    row.append(words, input, shown);
    this.inputs[name] = { input, shown, angle, rest: value };
    input.addEventListener("input", () => {
      this.set(name, input.valueAsNumber);
      this.changed();
    });
    this.set(name, value);
    return row;
  }

  set(name, value) {
    const { input, shown, angle } = this.inputs[name];
    input.value = value;
    this.values[name] = value;
    shown.textContent = angle ? `${Math.round((value * 180) / Math.PI)}°` : value.toFixed(2);
  }

  reset() {
    for (const [name, { rest }] of Object.entries(this.inputs)) this.set(name, rest);
    this.play("Stand");
    this.changed();
  }

  /** Begin a motion; "Stand" ends it. */
  play(name) {
    this.motions.press(name);
    this.motion = this.header.motions[name] ?? null;
    this.began = performance.now();
    this.changed();
  }

  /** The signal at a moment, milliseconds as of performance.now(): the motion's, and what sliders add to it. */
  signal(now) {
    const { rest, groups } = this.header;
    const signal = this.motion ? momentOf(this.motion, (now - this.began) / 1000) : {
      theta: rest.theta.slice(), root: rest.root.slice(), gaze: rest.gaze.slice(), actions: rest.actions.slice(),
    };
    for (const group of groups) {
      for (const { name, value, moves } of group.sliders) {
        const change = this.values[name] - value;
        if (change !== 0) for (const [part, place, amount] of moves) signal[part][place] += change * amount;
      }
    }
    signal.actions = signal.actions.map((amount) => Math.min(Math.max(amount, 0), 1));
    return signal;
  }
}

/** A motion's signal at so many seconds from its beginning, between two of its frames; it goes round for ever. */
function momentOf({ fps, frames, theta, root, gaze, actions }, seconds) {
  const at = (seconds * fps) % frames;
  const first = Math.floor(at), second = (first + 1) % frames, share = at - first;
  const between = (values) => {
    const width = values.length / frames;
    return Array.from({ length: width }, (_, i) => (
      (1 - share) * values[first * width + i] + share * values[second * width + i]
    ));
  };
  return { theta: between(theta), root: between(root), gaze: between(gaze), actions: between(actions) };
}

function button(words, pressed) {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = words;
  made.addEventListener("click", pressed);
  return made;
}

/** Buttons of which one is pressed; press(name) shows which, without calling `chosen`. */
function choices(place, names, chosen) {
  const buttons = new Map(names.map((name) => [name, button(name, () => chosen(name))]));
  place.append(...buttons.values());
  return {
    press(name) {
      for (const [other, made] of buttons) made.setAttribute("aria-pressed", String(other === name));
    },
  };
}
