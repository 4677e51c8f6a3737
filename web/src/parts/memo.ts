import { Component, h } from "preact";
import type { ComponentType, FunctionComponent } from "preact";

/** The component, drawn again only when one of its properties is another. */
export function memo<P extends object>(inner: FunctionComponent<P>): ComponentType<P> {
  return class Memo extends Component<P> {
    override shouldComponentUpdate(next: Readonly<P>): boolean {
      const now: Readonly<P> = this.props;
      const names = Object.keys(next) as (keyof P)[];
      return names.length !== Object.keys(now).length || names.some((name) => next[name] !== now[name]);
    }

    override render() {
      return h(inner, this.props as P);
    }
  };
}
