package saml

import (
	"slices"
	"strconv"
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
	proxies                 []proxy
	unknown                 bool // a Condition of a type that nobody here knows
}

// proxy is a ProxyRestriction (SAML Core 2.0 §2.5.1.6).
type proxy struct {
	count     string
	audiences bool
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
			p := proxy{}
			p.count, _ = e.Attr("Count")
			err := structure(e, "Count", many(0, func(*xmlsec.Element) error { p.audiences = true; return nil }, "Audience"))
			c.proxies = append(c.proxies, p)
			return err
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

// restrictionFault refuses what cannot be kept. OneTimeUse can: each assertion is accepted once. A token of ours rests on the assertion, and
// may be exchanged on, up to trust.MaxLinks times; so a ProxyRestriction must leave room for all of that.
func (c *conditions) restrictionFault() *fault {
	switch {
	case c.unknown:
		return faulty(trust.ReasonRestricted, checkCondition, "the assertion has a Condition of an unknown type")
	case c.oneTimeUse > 1, len(c.proxies) > 1:
		return faulty(trust.ReasonMalformed, checkCondition, "OneTimeUse or ProxyRestriction stands there twice")
	}
	for _, p := range c.proxies {
		n, err := strconv.ParseUint(p.count, 10, 31)
		switch {
		case p.audiences:
			return faulty(trust.ReasonRestricted, checkCondition, "a ProxyRestriction says for whom something may be issued by the assertion")
		case p.count != "" && err != nil:
			return faulty(trust.ReasonMalformed, checkCondition, "Count of ProxyRestriction is no number")
		case p.count != "" && n < trust.MaxLinks:
			return faulty(trust.ReasonRestricted, checkCondition, "a ProxyRestriction allows "+strconv.FormatUint(n, 10)+
				" further steps, and a token of ours may take "+strconv.Itoa(trust.MaxLinks))
		}
	}
	return nil
}
