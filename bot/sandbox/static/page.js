// The phones and the clock. Text from chats is only ever put in as text, never as HTML.

const $ = (selector, root = document) => root.querySelector(selector);
const zones = ["America/New_York", "America/Chicago", "America/Los_Angeles", "America/Mexico_City", "Europe/London",
  "Europe/Madrid", "Asia/Kolkata", "Asia/Tokyo", "Australia/Sydney", "UTC"];
const state = { offset: 0, phones: [], links: [], bot: "", playing: false };

async function ask(verb, path, body) {
  const answer = await fetch(`/sandbox${path}`, {
    method: verb, headers: { "Content-Type": "application/json" }, body: body && JSON.stringify(body),
  });
  const told = await answer.json();
  if (!answer.ok) throw new Error(told.error);
  return told;
}

function trouble(error) {
  const place = $("#trouble");
  place.textContent = error.message;
  place.hidden = false;
  clearTimeout(place.timer);
  place.timer = setTimeout(() => { place.hidden = true; }, 8000);
}

const guarded = (act) => async (...given) => { try { return await act(...given); } catch (error) { trouble(error); } };

function make(tag, known = {}, ...inside) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(known)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name in node) node[name] = value;
    else node.setAttribute(name, value);
  }
  node.append(...inside);
  return node;
}

// the clock

const zone = $("#zone");
zone.append(...zones.map((name) => make("option", { value: name, textContent: name.replace("_", " ") })));
const now = () => new Date(Date.now() + state.offset * 1000);
const inZone = (options) => new Intl.DateTimeFormat("en-GB", { timeZone: zone.value, ...options });

function showClock() {
  $("#now").textContent = inZone({ weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit",
    second: "2-digit" }).format(now());
}

function takeClock(clock) {
  state.offset = clock.offset + (state.skew || 0);
  $("#marks").replaceChildren(...Object.entries(clock.marks).map(([name, moment]) => make("button", {
    type: "button", textContent: `to the ${name}`, title: inZone({ weekday: "short", day: "numeric", month: "short",
      hour: "2-digit", minute: "2-digit" }).format(new Date(moment)),
    onclick: guarded(() => move({ mark: name })),
  })));
  showClock();
}

const move = async (where) => takeClock(await ask("POST", "/clock", where));

document.querySelectorAll("[data-by]").forEach((button) => {
  button.addEventListener("click", guarded(() => move({ by: Number(button.dataset.by) })));
});
$("#tomorrow").addEventListener("click", guarded(() => move({ tomorrow: "09:00", timezone: zone.value, walk: true })));
$("#play").addEventListener("click", guarded(play));

async function play() {
  if (state.playing) { state.playing.stop(); return; }
  const playing = state.playing = stoppable();
  showPlaying(true);
  try {
    const end = now().getTime() + 7 * 24 * 3600 * 1000;
    while (!playing.stopped && now().getTime() < end) {
      const clock = await ask("GET", "/clock");
      const ahead = Object.values(clock.marks).map((moment) => new Date(moment)).filter((moment) => moment > now());
      const next = Math.min(end, ...ahead);
      await move({ to: new Date(ahead.length ? next : Math.min(end, now().getTime() + 6 * 3600 * 1000)).toISOString() });
      await playing.pause(1800);
    }
  } finally {
    state.playing = null;
    showPlaying(false);
  }
}

function showPlaying(on) {
  $("#play").setAttribute("aria-pressed", String(on));
  $("#play").textContent = on ? "stop" : "play a week";
}

function stoppable() {
  const self = { stopped: false, wake: () => {} };
  self.stop = () => { self.stopped = true; self.wake(); };
  self.pause = (milliseconds) => new Promise((done) => { self.wake = done; setTimeout(done, milliseconds); });
  return self;
}

// a text with its entities

function words(message) {
  const text = (message.text ?? message.caption ?? "").replace(/^(\/start) \S+$/, "$1");
  const entities = message.entities ?? message.caption_entities ?? [];
  const cuts = new Set([0, text.length]);
  for (const { offset, length } of entities) { cuts.add(offset); cuts.add(offset + length); }
  const places = [...cuts].sort((a, b) => a - b);
  const parts = make("div", { className: "words" });
  let block = null;
  for (let i = 0; i + 1 < places.length; i += 1) {
    const over = entities.filter(({ offset, length }) => offset <= places[i] && places[i + 1] <= offset + length);
    const piece = over.reduce(dressed, document.createTextNode(text.slice(places[i], places[i + 1])));
    const around = over.find(({ type }) => BLOCKS[type]);
    if (around && block?.entity !== around) { block = { entity: around, node: make(BLOCKS[around.type]) }; parts.append(block.node); }
    (around ? block.node : parts).append(piece);
  }
  return parts;
}

const BLOCKS = { blockquote: "blockquote", expandable_blockquote: "blockquote", pre: "pre" };
const TAGS = { bold: "strong", italic: "em", underline: "u", strikethrough: "s", code: "code" };

function dressed(inside, entity) {
  if (TAGS[entity.type]) return make(TAGS[entity.type], {}, inside);
  if (entity.type === "spoiler") return spoiler(inside);
  if (entity.type === "mention") return make("span", { className: "mention" }, inside);
  if (entity.type === "text_link" || entity.type === "url") return link(entity.url ?? inside.textContent, inside);
  if (entity.type === "bot_command") {
    const command = inside.textContent;
    return make("button", { type: "button", className: "tap", onclick: (event) => phoneOf(event.target).say(command) }, inside);
  }
  return inside;
}

// One tap shows all that is hidden in a message, as Telegram's applications do.

function spoiler(inside) {
  const show = (event) => event.currentTarget.closest(".words").querySelectorAll(".spoiler").forEach((one) => {
    one.classList.add("shown");
    ["role", "tabindex", "aria-label"].forEach((name) => one.removeAttribute(name));
  });
  return make("span", { className: "spoiler", role: "button", tabIndex: 0, "aria-label": "Hidden text: press to show it",
    onclick: show, onkeydown: (event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); show(event); } } }, inside);
}

const isOurs = (url) => /^(https?:\/\/)?t\.me\//.test(url);

function link(url, inside) {
  if (isOurs(url)) {
    return make("button", { type: "button", className: "tap", "aria-haspopup": "menu", onclick: (event) => openOn(url, event.currentTarget) }, inside);
  }
  const safe = /^(https?|tel):/.test(url) ? url : "#";
  return make("a", { href: safe, target: "_blank", rel: "noopener" }, inside);
}

const phoneOf = (node) => state.phones.find((phone) => phone.root.contains(node));

// An invitation made on one phone is meant for another: ask on which to open it.

function openOn(url, from) {
  const menu = $("#open-on");
  const choose = (act) => guarded(async () => { menu.hidePopover(); await act(); });
  menu.replaceChildren(
    make("p", { textContent: "Open on" }),
    ...state.phones.map((phone) => make("button", { type: "button", role: "menuitem", textContent: phone.label,
      onclick: choose(() => phone.open(url)) })),
    make("button", { type: "button", role: "menuitem", textContent: "a new phone", onclick: choose(() => openOnNew(url)) }),
  );
  menu.showPopover();
  const { left, bottom, top } = from.getBoundingClientRect();
  const below = bottom + menu.offsetHeight + 12 < window.innerHeight;
  menu.style.left = `${Math.max(8, Math.min(left, window.innerWidth - menu.offsetWidth - 8))}px`;
  menu.style.top = `${below ? bottom + 6 : Math.max(8, top - menu.offsetHeight - 6)}px`;
  $("button", menu).focus();
  menu.ontoggle = ({ newState }) => { if (newState === "closed" && from.isConnected) from.focus(); };
}

async function openOnNew(url) {
  const number = state.phones.length + 1;
  const user = await ask("POST", "/users", { first_name: `Visitor ${number}` });
  const stage = await ask("GET", "/stage");
  const phones = [...stage.phones, { user_id: user.id, label: `Phone ${number}`, note: user.first_name }];
  await ask("PUT", "/stage", { ...stage, phones });
  await takeStage();
  const phone = state.phones.at(-1);
  await phone.open(url);
  phone.root.scrollIntoView({ block: "nearest" });
}

// a phone

class Phone {
  constructor({ user_id: user, label, note }) {
    this.user = user;
    this.label = label;
    this.messages = new Map();
    this.version = 0;
    this.shown = new Map();
    this.following = true;
    this.root = $("#phone").content.firstElementChild.cloneNode(true);
    this.root.dataset.testid = `phone-${label.toLowerCase().replace(" ", "-")}`;
    this.root.setAttribute("aria-label", `${label}'s phone`);
    $(".label", this.root).textContent = label;
    $(".note", this.root).textContent = note;
    this.chat = $(".chat", this.root);
    this.wire();
  }

  wire() {
    this.chat.addEventListener("scroll", () => { this.following = this.atEnd(); });
    new ResizeObserver(() => this.follow()).observe(this.chat);
    this.root.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      this.root.querySelectorAll("details[open]").forEach((one) => { one.open = false; $("summary", one).focus(); });
      if (this.editing) this.endEditing();
      $(".alert", this.root).close();
    });
    $(".editing button", this.root).addEventListener("click", () => this.endEditing());
    const field = $("textarea", this.root);
    field.addEventListener("input", () => fit(field));
    const send = guarded(async () => {
      const text = field.value.trim();
      if (!text) return;
      const editing = this.editing;
      this.endEditing();
      this.following = true;
      if (editing) await this.change(editing, text);
      else await this.say(text);
    });
    $(".write", this.root).addEventListener("submit", (event) => { event.preventDefault(); send(); });
    field.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); send(); }
    });
    this.root.querySelectorAll("[data-send]").forEach((button) => button.addEventListener("click", () => {
      button.closest("details").open = false;
      this.send(button.dataset.send);
    }));
    $(".open", this.root).addEventListener("submit", (event) => {
      event.preventDefault();
      this.open(new FormData(event.target).get("link"));
      event.target.closest("details").open = false;
    });
    $(".block", this.root).addEventListener("click", ({ target }) => {
      target.closest("details").open = false;
      this.block(!this.blocked);
    });
    $(".unblock", this.root).addEventListener("click", () => this.block(false));
  }

  say = guarded((text) => ask("POST", `/users/${this.user}/messages`, { bot: state.bot, text, reply_to: this.replying }));

  send = guarded((kind) => ask("POST", `/users/${this.user}/messages`, { bot: state.bot, [kind]: true }));

  block = guarded((blocked) => ask("POST", `/users/${this.user}/${blocked ? "block" : "unblock"}`, { bot: state.bot }));

  showBlocked(blocked) {
    this.blocked = blocked;
    $(".block", this.root).textContent = blocked ? "Unblock the bot" : "Block the bot";
    $(".write", this.root).hidden = blocked;
    $(".unblock", this.root).hidden = !blocked;
  }

  open = guarded((url) => ask("POST", `/users/${this.user}/open`, { link: url }));

  change = (id, text) => ask("PATCH", `/users/${this.user}/messages/${id}`, { bot: state.bot, text });

  endEditing() {
    const field = $("textarea", this.root);
    field.value = "";
    fit(field);
    this.editing = null;
    $(".editing", this.root).hidden = true;
  }

  beginEditing(message) {
    const field = $("textarea", this.root);
    this.editing = message.message_id;
    field.value = message.text;
    fit(field);
    $(".editing", this.root).hidden = false;
    field.focus();
  }

  atEnd = () => this.chat.scrollHeight - this.chat.scrollTop - this.chat.clientHeight < 60;

  follow() { if (this.following) this.chat.scrollTop = this.chat.scrollHeight; }

  // The button is busy until the bot has answered the tap.
  tap = guarded(async (id, data, button) => {
    this.following = true;
    button.setAttribute("aria-busy", "true");
    try {
      await ask("POST", `/users/${this.user}/taps`, { bot: state.bot, message_id: id, data });
    } finally { button.removeAttribute("aria-busy"); }
  });

  answered({ text, show_alert: alert }) {
    if (!text) return;
    if (!alert) { this.toast(text); return; }
    const place = $(".alert", this.root);
    $("p", place).textContent = text;
    place.close();
    place.show();
  }

  toast(text) {
    const place = $(".toast", this.root);
    place.textContent = text;
    place.hidden = false;
    clearTimeout(place.timer);
    place.timer = setTimeout(() => { place.hidden = true; }, 3500);
  }

  typing() {
    const place = $(".doing", this.root);
    place.textContent = "typing…";
    place.classList.add("typing");
    clearTimeout(place.timer);
    place.timer = setTimeout(() => this.idle(), 4000);
  }

  idle() {
    const place = $(".doing", this.root);
    clearTimeout(place.timer);
    place.textContent = "bot";
    place.classList.remove("typing");
  }

  refresh = guarded(async () => {
    if (this.busy) { this.again = true; return; }
    this.busy = true;
    do {
      this.again = false;
      try {
        const { version, messages } = await ask("GET", `/chats/${this.user}/messages?bot=${state.bot}&since=${this.version}`);
        this.version = version;
        messages.forEach((message) => this.messages.set(message.message_id, message));
      } finally { this.busy = false; }
      this.draw([...this.messages.values()].filter((message) => !message.deleted));
    } while (this.again);
  });

  draw(messages) {
    const focused = this.chat.contains(document.activeElement) ? document.activeElement : null;
    const nodes = [];
    let day = "";
    for (const message of messages) {
      const date = inZone({ weekday: "long", day: "numeric", month: "long" }).format(new Date(message.date * 1000));
      if (date !== day) { day = date; nodes.push(this.kept(`day ${date}`, "", () => make("p", { className: "day", textContent: date }))); }
      nodes.push(this.shownMessage(message));
    }
    if (!messages.length && this.version === 0) nodes.push(this.kept("start", "", () => this.start()));
    const wanted = new Set(nodes);
    [...this.chat.children].forEach((node) => { if (!wanted.has(node)) node.remove(); });
    nodes.forEach((node, index) => { if (this.chat.children[index] !== node) this.chat.insertBefore(node, this.chat.children[index] ?? null); });
    this.keyboard(messages);
    this.follow();
    if (focused || this.waiting) this.keepFocus(focused);
  }

  // Who goes by keyboard stays where they were: on the same button, or on what the bot asks next.
  keepFocus(focused) {
    if (focused?.isConnected && !this.waiting) return;
    if (document.activeElement !== document.body && document.activeElement !== this.chat) { this.waiting = false; return; }
    const keys = [...this.chat.querySelectorAll(".message:last-child .keys button")];
    const next = keys.find((key) => key.textContent === focused?.textContent) ?? keys[0];
    (next ?? this.chat).focus({ preventScroll: true });
    this.waiting = !next;
  }

  // A message whose words change keeps its node and its buttons, so that a tap on a moving pacer is not lost.
  shownMessage(message) {
    const look = JSON.stringify([message, zone.value]);
    const known = this.shown.get(message.message_id);
    if (known?.look === look) return known.node;
    const fresh = this.message(message);
    if (!known) {
      fresh.classList.add("new");
      if (message.from.is_bot) this.idle();
      this.shown.set(message.message_id, { look, node: fresh, data: this.dataOf(message) });
      return fresh;
    }
    if (this.dataOf(message) !== known.data) {
      $(".keys", known.node)?.remove();
      known.node.append(...fresh.querySelectorAll(".keys"));
    }
    $(".bubble", known.node).replaceWith($(".bubble", fresh));
    this.shown.set(message.message_id, { look, node: known.node, data: this.dataOf(message) });
    return known.node;
  }

  dataOf = (message) => JSON.stringify(message.reply_markup?.inline_keyboard ?? null);

  // What did not change stays the same node, so that a picture does not flicker and a reader is told of what is new.
  kept(key, look, build) {
    const old = this.shown.get(key);
    if (old?.look === look) return old.node;
    const node = build();
    if (!old) node.classList.add("new");
    this.shown.set(key, { look, node });
    return node;
  }

  // The keyboard under the field is the one that the bot sent last; a reply that it asked for goes to that message.
  keyboard(messages) {
    const last = messages.findLast((message) => message.reply_keyboard);
    const markup = last?.reply_keyboard ?? {};
    const used = messages.some((message) => message.message_id > last?.message_id && !message.from.is_bot);
    this.replying = markup.force_reply && !used ? last.message_id : 0;
    $("textarea", this.root).placeholder = (!used && markup.input_field_placeholder) || "Message";
    const rows = used && markup.one_time_keyboard ? [] : markup.keyboard ?? [];
    const place = $(".keyboard", this.root);
    if (place.dataset.look === JSON.stringify(rows)) return;
    place.dataset.look = JSON.stringify(rows);
    place.hidden = !rows.length;
    place.replaceChildren(...rows.map((row) => make("div", {}, ...row.map((key) => make("button", {
      type: "button", textContent: key.text ?? key, onclick: () => this.press(key) })))));
  }

  press(key) {
    if (key.request_contact) this.send("contact");
    else if (key.request_location) this.send("location");
    else this.say(key.text ?? key);
  }

  start() {
    const link = state.links.find((one) => one.user_id === this.user);
    return make("div", { className: "welcome" },
      make("p", { className: "about", textContent: this.description ?? "" }),
      make("button", {
        type: "button", className: "start", textContent: link?.label ?? "Start",
        onclick: () => (link ? this.open(link.link) : this.say("/start")),
      }));
  }

  message(message) {
    const mine = !message.from.is_bot;
    const bubble = make("div", { className: "bubble" });
    if (message.reply_to_message) bubble.append(quoted(message.reply_to_message));
    if (message.photo) bubble.append(this.picture(message));
    bubble.append(...attached(message), words(message), this.meta(message, mine));
    const node = make("article", { className: `message${mine ? " mine" : ""}`, "aria-label": mine ? "You" : message.from.first_name });
    node.dataset.message = message.message_id;
    node.append(bubble);
    const rows = message.reply_markup?.inline_keyboard ?? [];
    if (rows.length) node.append(this.keys(message.message_id, rows));
    return node;
  }

  picture(message) {
    const file = message.photo.at(-1).file_id;
    return make("img", { src: `/sandbox/files/${file}`, alt: message.caption || "A picture", onload: () => this.follow() });
  }

  meta(message, mine) {
    const at = inZone({ hour: "2-digit", minute: "2-digit" }).format(new Date(message.date * 1000));
    const marks = [message.forward_origin ? "forwarded" : "", message.has_protected_content ? "protected" : "", message.edits ? "edited" : "", at].filter(Boolean);
    const meta = make("span", { className: "meta", textContent: marks.join(" · ") });
    if (mine && message.text) {
      meta.append(make("button", { type: "button", textContent: "edit", "aria-label": "Edit this message",
        onclick: () => this.beginEditing(message) }));
    }
    return meta;
  }

  keys(id, rows) {
    return make("div", { className: "keys" }, ...rows.map((row) => make("div", {}, ...row.map((button) => make("button", {
      type: "button", textContent: button.url ? `${button.text} ↗` : button.text,
      onclick: ({ currentTarget: key }) => {
        if (!button.url) this.tap(id, button.callback_data, key);
        else if (isOurs(button.url)) openOn(button.url, key);
        else window.open(button.url, "_blank", "noopener");
      },
    })))));
  }

  commands(menu) {
    const place = $(".commands .menu", this.root);
    place.replaceChildren(...menu.map(({ command, description }) => make("button", { type: "button", onclick: () => {
      this.say(`/${command}`);
      place.parentElement.open = false;
    } }, `/${command}`, make("span", { className: "about", textContent: description }))));
  }
}

// What a message holds besides words and pictures, said in words.

function attached({ sticker, voice, document: file, contact, location: place }) {
  const said = [
    sticker && `Sticker ${sticker.emoji ?? ""}`,
    voice && `Voice message, 0:${String(voice.duration).padStart(2, "0")}`,
    contact && `Contact: ${contact.first_name}, ${contact.phone_number}`,
    place && `Location: ${place.latitude}, ${place.longitude}`,
  ].filter(Boolean).map((text) => make("em", { className: "attached", textContent: text }));
  if (!file) return said;
  const about = `${file.file_name ?? "Document"} · ${Math.ceil(file.file_size / 1024)} KB`;
  return [...said, make("a", { className: "attached", href: `/sandbox/files/${file.file_id}`, download: file.file_name ?? "", textContent: about })];
}

function quoted(message) {
  const text = message.text ?? message.caption ?? "a message";
  return make("blockquote", { className: "answered" },
    make("strong", { textContent: message.from.first_name }), ` ${text.length > 90 ? `${text.slice(0, 90)}…` : text}`);
}

function fit(field) {
  field.style.height = "auto";
  field.style.height = `${Math.min(field.scrollHeight + 2, 120)}px`;
}

// everything together

async function takeStage() {
  const stage = await ask("GET", "/stage");
  $("#title").textContent = document.title = stage.title;
  state.bot = stage.bot ?? "";
  state.links = stage.links ?? [];
  $("#hints").hidden = !stage.hints?.length;
  $("#hints ol").replaceChildren(...(stage.hints ?? []).map((hint) => make("li", { textContent: hint })));
  const there = new Map(state.phones.map((phone) => [phone.user, phone]));
  state.phones = stage.phones.map((phone) => there.get(phone.user_id) ?? new Phone(phone));
  state.phones.forEach((phone, place) => { if (!phone.root.isConnected) $("#phones").insertBefore(phone.root, $("#phones").children[place] ?? null); });
  [...there.values()].filter((phone) => !state.phones.includes(phone)).forEach((phone) => phone.root.remove());
  await takeBot();
  state.phones.forEach((phone) => phone.refresh());
}

async function takeBot() {
  const [bots, users] = await Promise.all([ask("GET", "/bots"), ask("GET", "/users")]);
  const bot = bots.find((one) => one.username === state.bot) ?? bots[0];
  for (const phone of state.phones) {
    $(".bot", phone.root).textContent = bot?.first_name ?? "Bot";
    $(".avatar", phone.root).textContent = (bot?.first_name ?? "B")[0];
    const user = users.find((one) => one.id === phone.user);
    phone.description = bot?.descriptions[user?.language_code] ?? bot?.descriptions[""];
    phone.commands(menuFor(bot?.commands ?? {}, user));
    phone.showBlocked(user?.blocked.includes(bot?.username) ?? false);
  }
}

// The narrowest menu counts, as in Telegram's applications: a chat's own, that of private chats, the default one.
function menuFor(commands, user) {
  const scopes = [`chat:${user?.id}`, "all_private_chats", "default"];
  const wanted = scopes.flatMap((scope) => [`${scope}|${user?.language_code}`, `${scope}|`]);
  return commands[wanted.find((one) => commands[one]?.length)] ?? [];
}

function hear(event) {
  const told = JSON.parse(event.data);
  const { kind, chat, user } = told;
  if (kind === "clock") ask("GET", "/clock").then(takeClock);
  if (kind === "stage") guarded(takeStage)();
  if (kind === "commands") guarded(takeBot)();
  for (const phone of state.phones.filter((one) => one.user === chat)) {
    if (kind === "action") phone.typing();
    else if (kind === "answered") { if (user === phone.user) phone.answered(told); }
    else if (kind === "membership") phone.showBlocked(told.blocked);
    else phone.refresh();
  }
}

async function begin() {
  const clock = await ask("GET", "/clock");
  state.skew = (new Date(clock.now).getTime() - Date.now()) / 1000 - clock.offset;
  takeClock(clock);
  zone.addEventListener("change", () => { ask("GET", "/clock").then(takeClock); state.phones.forEach((phone) => phone.refresh()); });
  setInterval(showClock, 1000);
  await takeStage();
  const events = new EventSource("/sandbox/events");
  events.addEventListener("message", hear);
  events.addEventListener("open", () => state.phones.forEach((phone) => phone.refresh()));
  document.addEventListener("click", ({ target }) => document.querySelectorAll("details[open]").forEach((one) => {
    if (!one.contains(target)) one.open = false;
  }));
}

guarded(begin)();
