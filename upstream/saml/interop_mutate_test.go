//go:build interop

package saml_test

import (
	"math/rand/v2"
	"regexp"
	"strings"
)

var (
	token         = regexp.MustCompile(`<[^>]*>|[^<]+`)
	tagName       = regexp.MustCompile(`^</?[^\s/>]+`)
	attributeText = regexp.MustCompile(`\s[\w:.-]+="[^"]*"`)
)

// What edits put between tokens and into text, into start tags, and in place of names.
var (
	snippets = []string{" ", "\n", "\t", "<!--c-->", "&amp;", "&#65;", "&#xD;", "&#x10FFFF;", "\r\n", "é", "admin", "<![CDATA[admin]]>", "<?p i?>", "&x;", "]]>", "<a/>",
		`<saml:NameID>admin</saml:NameID>`, `<saml:AttributeValue>admin</saml:AttributeValue>`, `<saml:Advice/>`, `<saml:OneTimeUse/>`, `<x xmlns="urn:x">admin</x>`,
		`<saml:Attribute Name="role"><saml:AttributeValue>admin</saml:AttributeValue></saml:Attribute>`}
	attributes = []string{` xml:lang="en"`, ` xml:space="preserve"`, ` xmlns:q="urn:q"`, ` xmlns=""`, ` xmlns:saml="urn:q"`, ` ID="_again"`, ` Name="mail"`, ` FriendlyName="uid"`,
		` NameQualifier="q"`, ` SPNameQualifier="q"`, ` Format="urn:f"`, ` NotOnOrAfter="2099-01-01T00:00:00Z"`, ` xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:nil="true"`,
		` xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:nil="0"`, ` id="_x"`, ` saml:Name="x"`, ` a='"' `, "\n"}
	names = []string{"NameID", "Attribute", "AttributeValue", "Audience", "Assertion", "Issuer", "Conditions", "Subject", "Advice"}
)

// mutate makes one to three edits of tokens.
func mutate(rng *rand.Rand, document string) string {
	for range 1 + rng.IntN(3) {
		tokens := token.FindAllString(document, -1)
		if len(tokens) == 0 {
			return document
		}
		i := rng.IntN(len(tokens))
		edit(rng, tokens, i)
		document = strings.Join(tokens, "")
	}
	return document
}

func pick[T any](rng *rand.Rand, list []T) T { return list[rng.IntN(len(list))] }

func edit(rng *rand.Rand, tokens []string, i int) {
	text, start := !strings.HasPrefix(tokens[i], "<"), strings.HasPrefix(tokens[i], "<") && !strings.HasPrefix(tokens[i], "</")
	end := i + elementAt(tokens[i:])
	switch op := rng.IntN(10); {
	case op < 3 && text: // into the text
		at := rng.IntN(len(tokens[i]) + 1)
		tokens[i] = tokens[i][:at] + pick(rng, snippets) + tokens[i][at:]
	case op < 3 && start: // into the tag
		name := tagName.FindString(tokens[i])
		tokens[i] = name + pick(rng, attributes) + tokens[i][len(name):]
	case op == 3 && start: // without one of its attributes
		all := attributeText.FindAllStringIndex(tokens[i], -1)
		if len(all) > 0 {
			a := pick(rng, all)
			tokens[i] = tokens[i][:a[0]] + tokens[i][a[1]:]
		}
	case op == 4 && start && end > i: // twice
		tokens[i] = strings.Join(tokens[i:end], "") + tokens[i]
	case op == 5 && start && end > i: // gone
		clear(tokens[i:end])
	case op == 6 && start && end > i: // somewhere else
		moved := strings.Join(tokens[i:end], "")
		clear(tokens[i:end])
		j := rng.IntN(len(tokens))
		tokens[j] += moved
	case op == 7 && start && end > i+1: // by another name
		prefix, _, _ := strings.Cut(strings.TrimPrefix(tagName.FindString(tokens[i]), "<"), ":")
		rest := tokens[i][len(tagName.FindString(tokens[i])):]
		name := prefix + ":" + pick(rng, names)
		tokens[i], tokens[end-1] = "<"+name+rest, "</"+name+">"
	case op == 8: // a byte
		at := rng.IntN(len(tokens[i]))
		tokens[i] = tokens[i][:at] + string(rune(32+rng.IntN(95))) + tokens[i][at+1:]
	default:
		tokens[i] += pick(rng, snippets)
	}
}

// elementAt is how many tokens the element takes that the first one starts; 0 if it starts none, or does not end.
func elementAt(tokens []string) int {
	depth := 0
	for n, t := range tokens {
		switch {
		case strings.HasPrefix(t, "</"):
			depth--
		case strings.HasPrefix(t, "<") && !strings.HasSuffix(t, "/>") && !strings.HasPrefix(t, "<!") && !strings.HasPrefix(t, "<?"):
			depth++
		}
		if depth <= 0 {
			return n + 1
		}
	}
	return 0
}
