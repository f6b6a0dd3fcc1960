/** Pictures on buttons. The words beside them are their names. */

const PATHS = {
  play: "M8 5v14l11-7z",
  pause: "M7 5h4v14H7zm6 0h4v14h-4z",
  stop: "M6 6h12v12H6z",
  loop: "M7 7h9V4l5 4-5 4V9H9v4H7zm10 10H8v3l-5-4 5-4v3h7v-4h2z",
  live: "M12 9a3 3 0 1 1 0 6 3 3 0 0 1 0-6zM5.600 5.600 7 7a7 7 0 0 0 0 10l-1.400 1.400a9 9 0 0 1 0-12.800zm12.800 0a9 9 0 0 1 0 12.800L17 17a7 7 0 0 0 0-10z",
  link: "M4 12a4 4 0 0 1 4-4h3v2H8a2 2 0 0 0 0 4h3v2H8a4 4 0 0 1-4-4zm5 1v-2h6v2zm7-5a4 4 0 0 1 0 8h-3v-2h3a2 2 0 0 0 0-4h-3V8z",
  eye: "M12 5c5 0 8.700 3.500 10.500 7-1.800 3.500-5.500 7-10.500 7S3.300 15.500 1.500 12C3.300 8.500 7 5 12 5zm0 3a4 4 0 1 0 0 8 4 4 0 0 0 0-8zm0 2.200a1.800 1.800 0 1 1 0 3.600 1.800 1.800 0 0 1 0-3.600z",
  eyeShut:
    "M3.300 2 22 20.700 20.700 22 2 3.300zM12 5c5 0 8.700 3.500 10.500 7-1.800 3.500-5.500 7-10.500 7S3.300 15.500 1.500 12C3.300 8.500 7 5 12 5zm0 3a4 4 0 1 0 0 8 4 4 0 0 0 0-8zm0 2.200a1.800 1.800 0 1 1 0 3.600 1.800 1.800 0 0 1 0-3.600z",
  bell: "M12 2.500a1.500 1.500 0 0 1 1.500 1.500v.700a6 6 0 0 1 4.500 5.800v4l2 3v1H4v-1l2-3v-4a6 6 0 0 1 4.500-5.800V4A1.500 1.500 0 0 1 12 2.500zM9.800 20h4.400a2.200 2.200 0 0 1-4.400 0z",
  bellOff:
    "M12 2.500a1.500 1.500 0 0 1 1.500 1.500v.700a6 6 0 0 1 4.500 5.800v4l2 3v1H4v-1l2-3v-4a6 6 0 0 1 4.500-5.800V4A1.500 1.500 0 0 1 12 2.500zm0 4a4 4 0 0 0-4 4v4.600L6.700 17h10.600L16 15.100v-4.600a4 4 0 0 0-4-4zM9.800 20h4.400a2.200 2.200 0 0 1-4.400 0z",
  keyboard:
    "M4 6h16a2 2 0 0 1 2 2v8a2 2 0 0 1-2 2H4a2 2 0 0 1-2-2V8a2 2 0 0 1 2-2zm0 2v8h16V8zm2 1.500h2v2H6zm3.500 0h2v2h-2zm3.500 0h2v2h-2zm3.500 0h2v2h-2zM8 13h8v1.500H8z",
} as const;

export function Icon({ name }: { name: keyof typeof PATHS }) {
  return (
    <svg
      class="icon"
      viewBox="0 0 24 24"
      width="20"
      height="20"
      aria-hidden="true"
      focusable="false"
    >
      <path fill="currentColor" fill-rule="evenodd" d={PATHS[name]} />
    </svg>
  );
}
