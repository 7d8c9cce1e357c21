package xmlsec

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"
)

const costly = 255 << 10 // bytes: what a stranger may send as an assertion

// fill repeats a piece inside a root until the document is as long as a stranger may make it, or until the piece came n times; the rest is text.
func fill(n int, open, piece, text string) string {
	var b strings.Builder
	b.WriteString(open)
	for range n {
		if b.Len()+len(piece)+4 > costly {
			break
		}
		b.WriteString(piece)
	}
	b.WriteString(strings.Repeat(text, max(0, costly-b.Len()-4)/len(text)))
	return b.String() + "</a>"
}

// numbered writes a piece for each number.
func numbered(n int, format string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

// costlyShapes are 255 KB each, at the limits of the reader or beyond them.
func costlyShapes() map[string]string {
	const most = costly
	long := strings.Repeat("p", maxName)
	return map[string]string{
		"empty elements":                fill(most, "<a>", "<b/>", "x"),
		"elements to the limit":         fill(maxElements-1, "<a>", "<b></b>", "x"),
		"elements and attributes":       fill(maxElements-1, "<a>", "<b c=''/>", "&amp;"),
		"everything to the limit":       fill(maxElements-1, "<a>", "<b c='&lt;' xmlns='a:b'/>", "&amp;"),
		"attributes of one element":     "<a" + numbered(20_000, " a%d=''") + "/>",
		"attributes to the limit":       fill(maxAttributes/maxPerElement, "<a>", "<b"+numbered(maxPerElement, " a%d=''")+"/>", "x"),
		"attributes of one length":      fill(most, "<a>", "<b"+numbered(maxPerElement, " "+long[:100]+"%02d=''")+"/>", "x"),
		"declarations":                  "<a" + numbered(20_000, " xmlns:a%d='a:b'") + "/>",
		"declarations to the limit":     fill(maxBindings, "<a>", "<b xmlns='a:b'/>", "&#65;"),
		"look-ups of long prefixes":     fill(most, "<a"+numbered(maxInScope, " xmlns:"+long[:100]+"%02d='a:b'")+">", "<"+long[:100]+"00:b/>", "x"),
		"prefixes that nobody declared": fill(most, "<a"+numbered(maxInScope, " xmlns:"+long[:100]+"%02d='a:b'")+">", "<"+long[:100]+"xx:b/>", "x"),
		"rebinding":                     fill(most, "<a"+numbered(maxInScope-1, " xmlns:p%02d='a:b'")+">", "<b xmlns:p00='a:b'/>", "x"),
		"levels":                        strings.Repeat("<a>", costly/3),
		"text":                          fill(0, "<a>", "", "x"),
		"references":                    fill(0, "<a>", "", "&amp;"),
		"character references":          fill(0, "<a>", "", "&#x10FFFF;"),
		"line ends":                     fill(0, "<a>", "", "\r"),
		"line ends in a value":          "<a b='" + strings.Repeat("\r\n", costly/2) + "'/>",
		"brackets":                      fill(0, "<a>", "", "]"),
		"letters beyond ASCII":          fill(0, "<a>", "", "日"),
		"comments":                      fill(most, "<a>", "<!---->", " "),
		"comments and spaces":           fill(most, "<a>", " <!-- -->", " "),
		"comments and as many spaces":   fill(most, "<a>", "       <!---->", " "),
		"one comment":                   "<a><!--" + strings.Repeat(" - ", costly/3) + "--></a>",
		"IDs":                           fill(most, "<a>", "<b ID='"+long+"'/>", "x"),
		"a long name":                   "<" + strings.Repeat("a", costly) + "/>",
		"quotes that do not close":      "<a b=\"" + strings.Repeat("'", costly),
		"white space in a tag":          "<a" + strings.Repeat(" ", costly) + "/>",
		"less than signs":               strings.Repeat("<", costly),
		"ampersands":                    "<a>" + strings.Repeat("&", costly),
		"an assertion":                  strings.Replace(assertion(1_200), "</saml:Assertion>", strings.Repeat(" ", 1000)+"</saml:Assertion>", 1)[:costly],
		"signatures":                    fill(most, "<a ID='x' xmlns:ds='"+spaceDSig+"'>", "<ds:Signature><ds:SignedInfo/></ds:Signature>", " "),
	}
}

// 255 KB of unsigned XML cost less than 1 MB and 3 ms, whatever their shape (A28, L14).
func TestA28_L14_CostlyShapesAreCheap(t *testing.T) {
	for name, document := range costlyShapes() {
		b := []byte(document)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := verifyAny(b)
		runtime.ReadMemStats(&after)
		if got := after.TotalAlloc - before.TotalAlloc; got > 1_000_000 {
			t.Errorf("%s: %d bytes allocated for %d, at most 1,000,000 (%v)", name, got, len(b), err)
		}
		least := time.Hour // of several: other work on the machine only adds
		for range 5 {
			start := time.Now()
			verifyAny(b)
			least = min(least, time.Since(start))
		}
		if limit := slow * 3 * time.Millisecond; least > limit {
			t.Errorf("%s: %v for %d bytes, at most %v (%v)", name, least, len(b), limit, err)
		}
		t.Logf("%-30s %8d B  %8v  %v", name, after.TotalAlloc-before.TotalAlloc, least.Round(time.Microsecond), err)
	}
}

// verifyAny is what a stranger can make us do before a signature holds.
func verifyAny(document []byte) (Verified, error) {
	e, err := Parse(document)
	if err != nil {
		return Verified{}, err
	}
	return Verify(e, public(p256()))
}
