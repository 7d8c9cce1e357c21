package saml

import (
	"errors"
	"fmt"

	"apostille/trust/xmlsec"
)

// attribute is an Attribute (SAML Core 2.0 §2.7.3.1).
type attribute struct {
	name   string
	values []string
	other  bool // a value that is not text
}

func readAttributes(e *xmlsec.Element) (list []attribute, err error) {
	seen := map[string]bool{}
	return list, structure(e, "", many(1, func(e *xmlsec.Element) error {
		a, err := readAttribute(e)
		if err != nil {
			return err
		}
		if seen[a.name] {
			return errors.New("an Attribute stands there twice")
		}
		seen[a.name] = true
		list = append(list, a)
		return nil
	}, "Attribute"))
}

// readAttribute reads an Attribute.
func readAttribute(e *xmlsec.Element) (a attribute, err error) {
	if err := describes(e, "Name NameFormat FriendlyName"); err != nil {
		return a, err
	}
	a.name, _ = e.Attr("Name")
	if wrong := identifier(a.name, maxID); wrong != "" {
		return a, fmt.Errorf("the Name of an Attribute %s", wrong)
	}
	if !e.Spaced() {
		return a, errors.New("text in Attribute")
	}
	for c := range e.Children() {
		if !c.Is(saml("AttributeValue")) {
			return a, errors.New("an Attribute has something that does not belong there")
		}
		value, ok := c.Text()
		isNil, _ := c.AttrNS(xmlsec.Name{Space: spaceXSI, Local: "nil"})
		switch {
		case isNil == "true" || isNil == "1":
			if !ok || value != "" { // XML Schema 1.0 part 1 §2.6.2
				return a, errors.New("an AttributeValue that is nil, and has content")
			}
		case !ok:
			a.other = true
		default:
			a.values = append(a.values, value)
		}
	}
	return a, nil
}

// claim is the value as conditions and mappings see it: a string, or a list of strings; nil if there is none that is text.
func (a *attribute) claim() any {
	switch {
	case a.other || len(a.values) == 0:
		return nil
	case len(a.values) == 1:
		return a.values[0]
	}
	list := make([]any, len(a.values))
	for i, v := range a.values {
		list[i] = v
	}
	return list
}
