package saml

import (
	"errors"
	"fmt"
	"strings"

	"apostille/trust/xmlsec"
)

// part is a child that a structure may have, or of which one of several names may come at this place.
type part struct {
	names     []xmlsec.Name
	min, most int // most 0 = any number
	read      func(e *xmlsec.Element) error
}

func one(local string, read func(*xmlsec.Element) error) part {
	return part{[]xmlsec.Name{saml(local)}, 1, 1, read}
}

func optional(local string, read func(*xmlsec.Element) error) part {
	return part{[]xmlsec.Name{saml(local)}, 0, 1, read}
}

func many(min int, read func(*xmlsec.Element) error, locals ...string) part {
	p := part{min: min, read: read}
	for _, local := range locals {
		p.names = append(p.names, saml(local))
	}
	return p
}

func (p *part) takes(e *xmlsec.Element) bool {
	for _, n := range p.names {
		if e.Is(n) {
			return true
		}
	}
	return false
}

// structure reads an element that holds elements only, in the order of its schema, and no attributes but those named.
func structure(e *xmlsec.Element, attrs string, parts ...part) error {
	if err := onlyAttributes(e, attrs); err != nil {
		return err
	}
	if !e.Spaced() {
		return fmt.Errorf("text in %s", e.Name().Local)
	}
	at, seen := 0, 0
	for c := range e.Children() {
		for at < len(parts) && (!parts[at].takes(c) || parts[at].most > 0 && seen == parts[at].most) {
			if seen < parts[at].min {
				return fmt.Errorf("in %s, %s comes where %s belongs", e.Name().Local, c.Name().Local, parts[at].names[0].Local)
			}
			at, seen = at+1, 0
		}
		if at == len(parts) {
			return fmt.Errorf("%s has something that does not belong there, or is out of order, or stands there twice", e.Name().Local)
		}
		seen++
		if err := parts[at].read(c); err != nil {
			return err
		}
	}
	for ; at < len(parts); at, seen = at+1, 0 {
		if seen < parts[at].min {
			return fmt.Errorf("%s has no %s", e.Name().Local, parts[at].names[0].Local)
		}
	}
	return nil
}

// onlyAttributes refuses attributes that the schema does not know there, xsi:type most of all: it would say that the element is
// of another type than it seems.
func onlyAttributes(e *xmlsec.Element, allowed string) error {
	for name := range e.Attrs() {
		if name.Space != "" || !strings.Contains(" "+allowed+" ", " "+name.Local+" ") {
			return fmt.Errorf("an attribute of %s that does not belong there", e.Name().Local)
		}
	}
	return nil
}

// describes is onlyAttributes where the schema lets attributes of other namespaces stand (anyAttribute ##other): they are descriptions.
func describes(e *xmlsec.Element, allowed string) error {
	for name := range e.Attrs() {
		if name.Space == spaceAssertion || name.Space == "" && !strings.Contains(" "+allowed+" ", " "+name.Local+" ") {
			return fmt.Errorf("an attribute of %s that does not belong there", e.Name().Local)
		}
	}
	return nil
}

// text reads an element that holds text only.
func text(e *xmlsec.Element, attrs string) (string, error) {
	if err := onlyAttributes(e, attrs); err != nil {
		return "", err
	}
	s, ok := e.Text()
	if !ok {
		return "", fmt.Errorf("elements in %s", e.Name().Local)
	}
	return s, nil
}

// into reads text into a string.
func into(s *string) func(*xmlsec.Element) error {
	return func(e *xmlsec.Element) (err error) {
		*s, err = text(e, "")
		return err
	}
}

// empty reads an element without content and attributes.
func empty(e *xmlsec.Element) error {
	if s, err := text(e, ""); err != nil || strings.TrimSpace(s) != "" {
		return errors.Join(err, fmt.Errorf("%s is not empty", e.Name().Local))
	}
	return nil
}
