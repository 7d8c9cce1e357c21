package saml

import (
	"errors"
	"time"

	"apostille/trust/xmlsec"
)

// assertion is what an Assertion says (SAML Core 2.0 §2.3.3), as far as we accept such ones.
type assertion struct {
	id, issuer string
	issued     time.Time

	name          *nameID // nil = none
	confirmations []confirmation
	conditions    conditions
	authn         *authn // nil = no AuthnStatement
	attributes    []attribute
}

// readAssertion reads an Assertion. Its Signature is not in a tree of signed bytes any more; where it still is, afterIssuer says so.
func readAssertion(e *xmlsec.Element, afterIssuer ...part) (*assertion, error) {
	a := &assertion{}
	if v, _ := e.Attr("Version"); v != "2.0" {
		return nil, errors.New("the Version is not 2.0")
	}
	a.id, _ = e.Attr("ID")
	var err error
	if a.issued, err = instant(e, "IssueInstant"); err != nil {
		return nil, err
	}
	attributes := false
	parts := append([]part{one("Issuer", func(e *xmlsec.Element) (err error) { a.issuer, err = readIssuer(e); return err })}, afterIssuer...)
	return a, structure(e, "Version ID IssueInstant", append(parts,
		one("Subject", a.readSubject),
		one("Conditions", a.conditions.read),
		many(0, func(e *xmlsec.Element) (err error) {
			switch {
			case e.Is(saml("AuthnStatement")) && a.authn == nil:
				a.authn, err = readAuthn(e)
			case e.Is(saml("AttributeStatement")) && !attributes:
				attributes = true
				a.attributes, err = readAttributes(e)
			default:
				err = errors.New("more than one statement of a kind")
			}
			return err
		}, "AuthnStatement", "AttributeStatement"))...)
}

// readIssuer reads an Issuer, which is an entityID (SAML Core 2.0 §8.3.6: such a name has no qualifiers).
func readIssuer(e *xmlsec.Element) (string, error) {
	if f, ok := e.Attr("Format"); ok && f != formatEntity {
		return "", errors.New("the Issuer is of a Format that is no entityID")
	}
	return text(e, "Format")
}

// readSubject reads Subject (SAML Core 2.0 §2.4.1).
func (a *assertion) readSubject(e *xmlsec.Element) error {
	return structure(e, "",
		optional("NameID", func(e *xmlsec.Element) (err error) { a.name, err = readNameID(e); return err }),
		many(0, func(e *xmlsec.Element) error {
			c, err := readConfirmation(e)
			a.confirmations = append(a.confirmations, c)
			return err
		}, "SubjectConfirmation"))
}

// authn is what an AuthnStatement says.
type authn struct {
	at, sessionEnd time.Time // sessionEnd zero = not said
	session        string
	class          string // AuthnContextClassRef; "" = not said
}

// readAuthn reads an AuthnStatement (SAML Core 2.0 §2.7.2).
func readAuthn(e *xmlsec.Element) (*authn, error) {
	s := &authn{}
	var err error
	if s.at, err = instant(e, "AuthnInstant"); err != nil {
		return nil, err
	}
	if s.at.IsZero() {
		return nil, errors.New("AuthnStatement has no AuthnInstant")
	}
	if s.sessionEnd, err = instant(e, "SessionNotOnOrAfter"); err != nil {
		return nil, err
	}
	s.session, _ = e.Attr("SessionIndex")
	skip := func(*xmlsec.Element) error { return nil }
	return s, structure(e, "AuthnInstant SessionNotOnOrAfter SessionIndex",
		optional("SubjectLocality", skip),
		one("AuthnContext", func(e *xmlsec.Element) error {
			said := false
			declared := func(*xmlsec.Element) error { said = true; return nil }
			err := structure(e, "",
				optional("AuthnContextClassRef", func(e *xmlsec.Element) error { said = true; return into(&s.class)(e) }),
				optional("AuthnContextDecl", declared), optional("AuthnContextDeclRef", declared), many(0, skip, "AuthenticatingAuthority"))
			if err == nil && !said {
				err = errors.New("AuthnContext has neither a class nor a declaration")
			}
			return err
		}))
}
