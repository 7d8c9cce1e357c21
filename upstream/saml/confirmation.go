package saml

import (
	"errors"
	"time"

	"apostille/trust"
	"apostille/trust/xmlsec"
)

// confirmation is a SubjectConfirmation (SAML Core 2.0 §2.4.1.1).
type confirmation struct {
	method       string
	recipient    string
	inResponseTo string
	notBefore    time.Time
	notOnOrAfter time.Time
	more         bool // it names who may confirm, or holds a key or anything else: not for a bearer
}

func readConfirmation(e *xmlsec.Element) (c confirmation, err error) {
	c.method, _ = e.Attr("Method")
	named := func(*xmlsec.Element) error { c.more = true; return nil }
	return c, structure(e, "Method",
		optional("NameID", named),
		optional("SubjectConfirmationData", func(e *xmlsec.Element) error {
			if !c.more {
				_, plain := e.Text()
				c.more = !plain || !e.Spaced() || xsiType(e)
			}
			c.recipient, _ = e.Attr("Recipient")
			c.inResponseTo, _ = e.Attr("InResponseTo")
			var wrong [3]error
			c.notBefore, wrong[0] = instant(e, "NotBefore")
			c.notOnOrAfter, wrong[1] = instant(e, "NotOnOrAfter")
			wrong[2] = describes(e, "NotBefore NotOnOrAfter Recipient InResponseTo Address")
			return errors.Join(wrong[:]...)
		}))
}

func xsiType(e *xmlsec.Element) bool {
	_, ok := e.AttrNS(xmlsec.Name{Space: spaceXSI, Local: "type"})
	return ok
}

// fault says why the confirmation does not confirm whoever brings the assertion to a recipient (SAML Profiles 2.0 §4.1.4.2,
// RFC 7522 §3 item 5).
func (c *confirmation) fault(want *want, now time.Time) *fault {
	switch {
	case c.method != methodBearer:
		return faulty(trust.ReasonBound, checkConfirm, quote("the subject is not confirmed to a bearer, but by ", c.method))
	case c.more:
		return faulty(trust.ReasonBound, checkConfirm, "the confirmation names who may bring the assertion, or a key to prove")
	case c.recipient == "":
		return faulty(trust.ReasonRecipient, checkConfirm, "the confirmation has no Recipient")
	case !want.receives(c.recipient):
		return faulty(trust.ReasonRecipient, checkConfirm, quote("the trust's recipients do not list ", c.recipient))
	case want.login && c.inResponseTo != want.request:
		return faulty(trust.ReasonLoginState, checkConfirm, quote("the confirmation answers another request: ", c.inResponseTo))
	case c.notOnOrAfter.IsZero():
		return faulty(trust.ReasonTime, checkConfirm, "the confirmation has no NotOnOrAfter")
	case !c.notBefore.IsZero():
		return faulty(trust.ReasonTime, checkConfirm, "the confirmation has NotBefore, which a bearer's may not")
	case !now.Add(-trust.Skew).Before(c.notOnOrAfter):
		return faulty(trust.ReasonExpired, checkConfirm, "the time to bring the assertion ended at "+c.notOnOrAfter.UTC().Format(time.RFC3339))
	}
	return nil
}
