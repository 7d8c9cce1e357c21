package samlidp

import (
	"strings"

	"apostille/trust"
)

// nameID is what an application knows somebody as.
type nameID struct{ format, value string }

// nameID makes it in the format that was settled with the request. A persistent one is the person's sub, or that of the application's sector; a
// transient one lasts as long as the session; an e-mail address is one only if a rule releases it.
func (e *Endpoint) nameID(c *call, who *identity, d *trust.Decision) (nameID, *problem) {
	out := nameID{format: c.asked.Format}
	switch c.asked.Format {
	case formatPersistent:
		out.value = who.Subject.Sub
		if sector := c.client.Spec.App.Sector; sector != "" {
			out.value = e.Pairwise(sector, who.Subject.Sub)
		}
	case formatTransient: // no sector has a colon in it
		out.value = e.Pairwise("transient:"+trust.SID(who.Session, c.client.ID), who.Subject.Sub)
	case formatEmail:
		for _, claim := range []string{"mail", "email"} {
			if s, ok := d.IdentityClaims[claim].(string); ok && strings.Contains(s, "@") {
				out.value = s
				break
			}
		}
	}
	if out.value == "" {
		p := told(statusResponder, statusNameIDPolicy, "no sign_in rule releases mail or email, which names people at this application")
		p.Reason = trust.ReasonSubject
		return nameID{}, p
	}
	return out, nil
}
