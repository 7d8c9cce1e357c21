package trust

// formTaken: the targets take what is asked for, and the grant can issue it. An assertion is for one service, and RFC 8693 alone says how one
// is answered.
func (e *evaluation) formTaken() bool {
	if e.home {
		return true
	}
	assertion := e.targets[0].Spec.Token.Format == FormatSAML2
	switch {
	case e.q.Assertion && !assertion:
		return e.refuse(ReasonUnsupportedType, "form", "an assertion is asked for, and api %q takes tokens", e.targets[0].ID)
	case !assertion:
		return true
	case e.q.Grant != GrantTokenExchange:
		return e.refuse(ReasonUnsupportedType, "form", "api %q takes assertions, which only a token exchange issues", e.targets[0].ID)
	case e.q.Token:
		return e.refuse(ReasonUnsupportedType, "form", "a token is asked for, and api %q takes assertions: ask for saml2", e.targets[0].ID)
	case len(e.targets) > 1:
		return e.refuse(ReasonTargetsDisagree, "form", "an assertion is for one service: ask for apis %q and %q one at a time", e.targets[0].ID, e.targets[1].ID)
	}
	return e.pass("form", "a SAML 2.0 assertion")
}
