// One sound at a time, and a playhead on the picture of the run that plays.
for (const audio of document.querySelectorAll("audio")) {
  const picture = audio.closest("figure")?.querySelector(".picture");
  const playhead = picture?.querySelector(".playhead");

  audio.addEventListener("play", () => {
    for (const other of document.querySelectorAll("audio")) if (other !== audio) other.pause();
    if (playhead) requestAnimationFrame(follow);
  });

  function follow() {
    playhead.hidden = false;
    playhead.style.left = `${(100 * audio.currentTime) / Number(audio.dataset.seconds)}%`;
    if (!audio.paused) requestAnimationFrame(follow);
  }
  audio.addEventListener("seeked", () => playhead && follow());

  // For the mouse; keys have the player's own slider.
  picture?.addEventListener("click", (event) => {
    const { left, width } = picture.getBoundingClientRect();
    const seconds = (Number(audio.dataset.seconds) * (event.clientX - left)) / width;
    const seek = () => { audio.currentTime = seconds; };
    if (audio.readyState > 0) seek();
    else audio.addEventListener("loadedmetadata", seek, { once: true });
    audio.play();
  });
}
