// A message whose elements something else has changed (Chrome's translation wraps each text) is drawn from the beginning, where React
// would take the whole page away: only a class of React's hears of such errors.
import { Component, Fragment } from "react";

const TRIES = 3;

/** `fallback` is shown when its children cannot be drawn at all. */
export class ErrorBoundary extends Component {
  constructor(props) {
    super(props);
    this.state = { isBroken: false, tries: 0 };
  }

  static getDerivedStateFromError() {
    return { isBroken: true };
  }

  componentDidCatch() {
    this.setState(({ tries }) => (tries < TRIES ? { isBroken: false, tries: tries + 1 } : null));
  }

  /** What is drawn next may be whole again. */
  componentDidUpdate({ children }) {
    if (this.state.isBroken && children !== this.props.children) this.setState({ isBroken: false, tries: 0 });
  }

  render() {
    if (this.state.isBroken && this.state.tries >= TRIES) return this.props.fallback;
    return this.state.isBroken ? null : <Fragment key={this.state.tries}>{this.props.children}</Fragment>;
  }
}
