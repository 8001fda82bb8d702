// How long a code is still good, second by second. The words stand in the page; without script the minutes do.

const pad = (number) => String(number).padStart(2, "0");

function tick(place) {
  const left = Math.max(0, Math.round((new Date(place.dateTime) - Date.now()) / 1000));
  place.textContent = place.dataset.words.replace("{}", `${Math.floor(left / 60)}:${pad(left % 60)}`);
  return left > 0;
}

for (const place of document.querySelectorAll("time[data-countdown]")) {
  // a device whose clock is far off would count nonsense: then the minutes of the server stay
  const minutes = Math.abs(new Date(place.dateTime) - Date.now()) / 60000;
  if (minutes > 31) continue;
  tick(place);
  const timer = setInterval(() => { if (!tick(place)) clearInterval(timer); }, 1000);
}
