// A film with boxes and names drawn over it, in step with its frames. Nothing is burned into the film.
import { make } from "./elements.js";
import { iconButton, icon } from "./icons.js";
import { drawMarks } from "./overlay.js";
import { clockTime } from "./text.js";

export class Player {
  // `film` is a Film; `look(index)` says how a track is drawn: { person, label, colour, faint } or null for not at all;
  // `onframe(frame, boxes)` is called with each frame that comes on screen.
  constructor(film, source, { look, onframe, onfail }) {
    Object.assign(this, { film, source, look, onframe, onfail });
    this.frame = 0;
    this.left = new Set(); // the frames left by seeks that are not on screen yet
    this.start = 0;
    this.boxesShown = true;
    this.drawn = [];
    this.video = make("video", { playsInline: true, preload: "auto", tabIndex: -1, attributes: { "aria-label": `Film ${film.page.title}` } });
    this.canvas = make("canvas", { className: "overlay", attributes: { "aria-hidden": "true" } });
    this.stage = make("div", { className: "stage" }, this.video, this.canvas);
    this.stage.style.setProperty("--ratio", `${film.page.width} / ${film.page.height}`);
    this.stage.style.setProperty("--ratio-number", film.page.width / film.page.height);
    this.message = make("p", { className: "stage-message", hidden: true, attributes: { role: "alert" } });
    this.stage.append(this.message);
    this.controls = this.makeControls();
    this.element = make("section", { className: "player", attributes: { "aria-label": "Player" } }, this.stage, this.controls);
    this.listen();
  }

  makeControls() {
    this.playButton = iconButton("play", "Play", () => this.toggle(), "Space");
    this.soundButton = iconButton("sound", "Sound off", () => this.setMuted(!this.video.muted), "M");
    this.clock = make("output", { className: "clock", attributes: { "aria-label": "Time in the film" } });
    this.seekBar = make("input", { type: "range", className: "seek", min: 0, max: this.film.times.length - 1, step: 1, value: 0, attributes: { "aria-label": "Position in the film" } });
    this.seekBar.addEventListener("input", () => this.seekFrame(Number(this.seekBar.value)));
    const whole = iconButton("whole", "Full screen", () => this.fullScreen(), "F");
    const steps = [
      iconButton("back", "One frame back", () => this.step(-1), ","),
      this.playButton,
      iconButton("forward", "One frame on", () => this.step(1), "."),
    ];
    return make("div", { className: "controls" }, ...steps, this.clock, this.seekBar, this.soundButton, whole);
  }

  listen() {
    const { video } = this;
    for (const name of ["play", "pause"]) video.addEventListener(name, () => this.showPlaying());
    video.addEventListener("error", () => this.fallBack());
    this.stage.addEventListener("click", () => this.toggle());
    this.resizing = new ResizeObserver(() => this.draw());
    this.resizing.observe(this.stage);
    if (video.requestVideoFrameCallback) {
      this.followFrames();
      video.addEventListener("seeked", () => this.settle());
    } else for (const name of ["timeupdate", "seeked"]) video.addEventListener(name, () => this.arrive(this.film.frameAt(video.currentTime - this.start)));
  }

  // The browser tells of each frame that it puts on screen, and what its time in the film is.
  followFrames() {
    this.callback = this.video.requestVideoFrameCallback((_, { mediaTime }) => {
      this.arrive(this.film.nearestFrame(mediaTime - this.start));
      this.followFrames();
    });
  }

  // On a busy machine the browser may tell of no frame after a seek: one that came on screen just before it was asked
  // for the next. A film that stands still would never show its boxes then. Two pictures of the page later the frame of
  // the seek is on screen.
  settle() {
    requestAnimationFrame(() => requestAnimationFrame(() => {
      const { video, film } = this;
      if (video.paused && !video.seeking && film.frameAt(video.currentTime - this.start) === this.frame) this.arrive(this.frame);
    }));
  }

  // A frame of before a seek may still be told of after it: taken for the present one, the next key would lead from there.
  arrive(frame) {
    if (this.left.size && frame !== this.frame && (this.video.seeking || this.left.has(frame))) return;
    this.left.clear();
    this.show(frame);
  }

  // Play one of the film's sources; another one if it cannot be played.
  async open(number = 0) {
    const link = this.film.page.sources[number];
    if (!link) {
      this.fail("The film cannot be played here: neither the film itself nor an annotated copy was found. Put the film back where it was, or run notebook 05 with draw on, and write the page again.");
      return;
    }
    this.sourceNumber = number;
    this.message.hidden = true;
    this.start = link.start; // the player's time at the film's first frame
    try {
      this.video.src = await this.source.url(link.href);
    } catch (error) {
      this.fail(error.message);
      return;
    }
    this.video.currentTime = this.start + this.film.seekTime(this.frame);
    this.left.add(0); // the browser may show the film's first frame before it goes where it is sent
    this.boxesShown = link.title === "source";
    this.onsource?.(number);
  }

  fallBack() {
    if (this.video.src) this.open(this.sourceNumber + 1);
  }

  fail(text) {
    this.message.textContent = text;
    this.message.hidden = false;
    this.onfail?.(text);
  }

  close() {
    this.video.pause();
    if (this.callback) this.video.cancelVideoFrameCallback(this.callback);
    this.resizing.disconnect();
    this.video.removeAttribute("src");
    this.video.load();
  }

  get playing() {
    return !this.video.paused;
  }

  toggle() {
    if (this.playing) this.video.pause();
    else this.play();
  }

  play() {
    return this.video.play().catch((error) => {
      // A pause or another film that comes between is no failure.
      if (error.name !== "AbortError") this.fail(`The film does not play: ${error.message}`);
    });
  }

  playFrom(seconds) {
    this.seek(seconds);
    return this.play();
  }

  seek(seconds) {
    this.seekFrame(this.film.frameAt(seconds));
  }

  seekFrame(frame) {
    const kept = Math.max(0, Math.min(this.film.times.length - 1, frame));
    this.video.currentTime = this.start + this.film.seekTime(kept);
    // Clock and bars answer at once; the boxes wait for their frame.
    this.left.add(this.frame);
    this.frame = kept;
    this.showTime();
    this.onframe?.(kept, null);
  }

  step(frames) {
    this.video.pause();
    this.seekFrame(this.frame + frames);
  }

  setMuted(muted) {
    this.video.muted = muted;
    this.soundButton.replaceChildren(icon(muted ? "silent" : "sound"));
    this.soundButton.setAttribute("aria-label", muted ? "Sound on" : "Sound off");
  }

  setRate(rate) {
    this.video.defaultPlaybackRate = rate; // another source of the film goes on at this speed
    this.video.playbackRate = rate;
  }

  fullScreen() {
    if (document.fullscreenElement) document.exitFullscreen();
    else this.element.requestFullscreen?.();
  }

  showPlaying() {
    this.playButton.replaceChildren(icon(this.playing ? "pause" : "play"));
    this.playButton.setAttribute("aria-label", this.playing ? "Pause" : "Play");
    this.onplaying?.(this.playing);
  }

  show(frame) {
    this.frame = frame;
    this.showTime();
    this.draw();
    this.onframe?.(frame, this.drawn);
  }

  showTime() {
    const { film } = this;
    this.clock.textContent = `${clockTime(film.begins(this.frame), 2)} / ${clockTime(film.end, 0)}`;
    this.seekBar.value = this.frame;
    this.seekBar.setAttribute("aria-valuetext", `${clockTime(film.begins(this.frame), 1)} of ${clockTime(film.end, 0)}`);
  }

  // Draw the boxes of the frame on screen. `drawn` keeps what was drawn, in pixels of the film.
  draw() {
    const looks = this.film.boxesAt(this.frame).map((box) => ({ ...box, look: this.look(box.index) }));
    this.drawn = looks.filter(({ look }) => look);
    const scale = this.stage.clientWidth / this.film.page.width;
    drawMarks(this.canvas, this.boxesShown ? this.drawn : [], scale, this.stage.clientWidth, this.stage.clientHeight);
  }
}
