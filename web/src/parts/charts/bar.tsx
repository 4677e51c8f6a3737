import "./charts.css";

/** A share of 0..1 as a bar; the number stands beside it. */
export function Bar({ share, colour }: { share: number; colour: string }) {
  return (
    <svg class="bar" aria-hidden="true">
      <rect class="bar-ground" width="100%" height="100%" />
      <rect class={colour} width={`${Math.max(0, Math.min(1, share)) * 100}%`} height="100%" />
    </svg>
  );
}
