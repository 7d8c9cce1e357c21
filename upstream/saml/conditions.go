package saml

import (
	"slices"
	"strings"
	"time"

	"apostille/trust"
	"apostille/trust/xmlsec"
)

// conditions is what Conditions says (SAML Core 2.0 §2.5).
type conditions struct {
	notBefore, notOnOrAfter time.Time
	audiences               [][]string // of each AudienceRestriction
	oneTimeUse              int
	proxies                 int
	proxied                 bool // a ProxyRestriction that says anything
	unknown                 bool // a Condition of a type that nobody here knows
}

func (c *conditions) read(e *xmlsec.Element) (err error) {
	if c.notBefore, err = instant(e, "NotBefore"); err != nil {
		return err
	}
	if c.notOnOrAfter, err = instant(e, "NotOnOrAfter"); err != nil {
		return err
	}
	return structure(e, "NotBefore NotOnOrAfter", many(0, func(e *xmlsec.Element) error {
		switch e.Name().Local {
		case "AudienceRestriction":
			var list []string
			err := structure(e, "", many(1, func(e *xmlsec.Element) error {
				a, err := text(e, "")
				list = append(list, a)
				return err
			}, "Audience"))
			c.audiences = append(c.audiences, list)
			return err
		case "OneTimeUse":
			c.oneTimeUse++
			return empty(e)
		case "ProxyRestriction":
			c.proxies++
			_, c.proxied = e.Attr("Count")
			return structure(e, "Count", many(0, func(*xmlsec.Element) error { c.proxied = true; return nil }, "Audience"))
		}
		c.unknown = true
		return nil
	}, "AudienceRestriction", "OneTimeUse", "ProxyRestriction", "Condition"))
}

// audienceFault wants one audience of each restriction listed: restrictions add up, audiences of one are alternatives (SAML Core 2.0
// §2.5.1.4). An assertion without any is for anybody, and refused.
func (c *conditions) audienceFault(allowed []string) *fault {
	if len(c.audiences) == 0 {
		return faulty(trust.ReasonAudience, checkAudience, "the assertion has no AudienceRestriction")
	}
	for _, list := range c.audiences {
		if !slices.ContainsFunc(list, func(a string) bool { return slices.Contains(allowed, a) }) {
			return faulty(trust.ReasonAudience, checkAudience, quote("the trust's audiences list none of ", strings.Join(list, " ")))
		}
	}
	return nil
}

// restrictionFault refuses what cannot be kept. OneTimeUse can: each assertion is accepted once. A ProxyRestriction cannot: a token of ours
// may become an assertion again, later and elsewhere, which would have to hold one with a lesser Count, or name the same audiences (SAML Core
// 2.0 §2.5.1.6).
func (c *conditions) restrictionFault() *fault {
	switch {
	case c.unknown:
		return faulty(trust.ReasonRestricted, checkCondition, "the assertion has a Condition of an unknown type")
	case c.oneTimeUse > 1, c.proxies > 1:
		return faulty(trust.ReasonMalformed, checkCondition, "OneTimeUse or ProxyRestriction stands there twice")
	case c.proxied:
		return faulty(trust.ReasonRestricted, checkCondition, "a ProxyRestriction says how often, or for whom, something may be issued by the assertion")
	}
	return nil
}
