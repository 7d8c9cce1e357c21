package family

import (
	"slices"

	"apostille/broker/oauth"
	"apostille/exchange"
	"apostille/trust"
)

// ask is what a request asks for within what the sign-in was granted.
type ask struct {
	scopes, resources []string
	narrowed          bool
}

// narrow reads `scope` and `resource`. What the sign-in was not granted refuses (RFC 6749 §6, RFC 8707 §2.2). Without `scope` the sign-in's
// count, less those that the named resources do not define (RFC 8707 §2.2) and those that the client's registration lacks by now: an
// application that asks for nothing cannot have asked for too much.
func narrow(reg *trust.Registry, app *trust.Client, r *record, p oauth.Params) (ask, *exchange.Refusal) {
	a := ask{scopes: p.Scopes(), resources: p.List("resource")}
	for _, s := range a.scopes {
		if !slices.Contains(r.Scopes, s) {
			return a, &exchange.Refusal{Reason: trust.ReasonScopeUnregistered, Detail: "the sign-in was not granted a scope that is asked for",
				Public: "scope asks for more than the sign-in was granted"}
		}
	}
	for _, name := range a.resources {
		if !slices.Contains(r.Resources, name) {
			return a, &exchange.Refusal{Reason: trust.ReasonTargetUnknown, Detail: "the sign-in did not name a resource that is asked for",
				Public: "resource asks for more than the sign-in was granted"}
		}
	}
	a.narrowed = len(a.scopes) > 0 || len(a.resources) > 0
	if len(a.resources) == 0 {
		a.resources = r.Resources
	}
	if len(a.scopes) > 0 || len(r.Scopes) == 0 {
		return a, nil
	}
	targets := apisOf(reg, a.resources)
	for _, s := range r.Scopes {
		if slices.Contains(trust.IdentityScopes, s) || registered(app, targets, s) {
			a.scopes = append(a.scopes, s)
		}
	}
	if len(a.scopes) == 0 { // asking for nothing would be asking for the rules' defaults
		return a, refuse(trust.ReasonScopeEmpty, "the client's registration has none of the sign-in's scopes any more")
	}
	return a, nil
}

// registered says whether the client is registered for a scope, of one of the APIs if any are named.
func registered(app *trust.Client, targets []string, scope string) bool {
	for api, scopes := range app.Spec.APIs {
		if (len(targets) == 0 || slices.Contains(targets, api)) && slices.Contains(scopes, scope) {
			return true
		}
	}
	return false
}

// apisOf finds the APIs that resources name. A name that nobody has any more counts as one without scopes; DECIDE refuses it.
func apisOf(reg *trust.Registry, resources []string) []string {
	var out []string
	for _, name := range resources {
		if a, ok := reg.ByAudience(name); ok {
			out = append(out, a.ID)
			continue
		}
		for _, id := range reg.APIIDs() {
			if a, ok := reg.API(id); ok && slices.Contains(a.Spec.Resources, name) {
				out = append(out, id)
			}
		}
	}
	if len(out) == 0 && len(resources) > 0 {
		return resources
	}
	return out
}

// beyond names a scope that a decision grants and the sign-in was not granted: rules whose defaults have grown; "" if there is none.
func beyond(d *trust.Decision, granted []string) string {
	for _, s := range slices.Concat(d.Identity, d.Scopes) {
		if !slices.Contains(granted, s) {
			return s
		}
	}
	return ""
}
