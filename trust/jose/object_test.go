package jose

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
)

func nested(depth int) string {
	return `{"a":` + strings.Repeat("[", depth-1) + strings.Repeat("]", depth-1) + "}"
}

func TestDecodeObjectReadsWhatTheStandardLibraryReads(t *testing.T) {
	t.Parallel()
	for name, in := range map[string]string{
		"an empty object":                    `{}`,
		"white space everywhere":             " {\t\"a\" :\r\n[ 1 , 2 ] } \n",
		"every kind of value":                `{"s":"x","n":-1.5e+7,"t":true,"f":false,"z":null,"o":{"k":[]},"a":["",{}]}`,
		"twenty digits":                      `{"n":12345678901234567890}`,
		"every escape":                       `{"s":"\"\\\/\b\f\n\r\t\u00e9\uD83D\ude00"}`,
		"UTF-8 as it is":                     `{"name":"Zoë 日本"}`,
		"an escape in a name":                `{"\u0073ub":"alice"}`,
		"one name in two objects":            `{"a":{"x":1},"b":{"x":2}}`,
		"names that differ in case":          `{"sub":1,"SUB":2}`,
		"the deepest nesting that is taken":  nested(maxDepth),
		"the most values that are taken":     `{"a":[` + strings.Repeat("0,", maxValues-2) + `0]}`,
		"U+FFFD written as such":             `{"s":"\ufffd"}`,
		"numbers at the edge of the grammar": `{"a":[0,-0,0.0,1E5,1e-05,10]}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := DecodeObject([]byte(in))
			if err != nil {
				t.Fatal(err)
			}
			checkStandard(t, []byte(in), got)
		})
	}
}

func TestDecodeObjectRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		in   string
		want error
	}{
		"nothing":                             {``, errObject},
		"an array":                            {`[{}]`, errObject},
		"null":                                {`null`, errObject},
		"a byte order mark":                   {"\ufeff{}", errObject},
		"a second object":                     {`{}{}`, errTrailing},
		"a trailing NUL":                      {"{}\x00", errTrailing},
		"a name twice":                        {`{"a":1,"a":1}`, errDuplicate},
		"a name twice, once escaped":          {`{"sub":1,"s\u0075b":2}`, errDuplicate},
		"a name twice inside an array":        {`{"a":[{"b":1,"b":2}]}`, errDuplicate},
		"one level too deep":                  {nested(maxDepth + 1), errDepth},
		"5,000 levels":                        {nested(5000), errDepth},
		"one value too many":                  {`{"a":[` + strings.Repeat("0,", maxValues-1) + `0]}`, errValues},
		"an end in the middle":                {`{"a":`, errSyntax},
		"an unfinished string":                {`{"a":"b`, errSyntax},
		"an unfinished escape":                {`{"a":"\`, errString},
		"a trailing comma":                    {`{"a":1,}`, errSyntax},
		"a missing colon":                     {`{"a" 1}`, errSyntax},
		"a missing comma":                     {`{"a":[1 2]}`, errSyntax},
		"a name without quotes":               {`{a:1}`, errSyntax},
		"single quotes":                       {`{'a':1}`, errSyntax},
		"a comment":                           {`{"a":1/**/}`, errSyntax},
		"a leading zero":                      {`{"a":01}`, errSyntax},
		"a leading plus":                      {`{"a":+1}`, errSyntax},
		"a bare minus":                        {`{"a":-}`, errSyntax},
		"a number that ends in a point":       {`{"a":1.}`, errSyntax},
		"an exponent without digits":          {`{"a":1e}`, errSyntax},
		"NaN":                                 {`{"a":NaN}`, errSyntax},
		"a word in capitals":                  {`{"a":TRUE}`, errSyntax},
		"a lone high surrogate":               {`{"a":"\ud800"}`, errString},
		"a lone low surrogate":                {`{"a":"\udc00"}`, errString},
		"a high surrogate before a plain one": {`{"a":"\ud800\u0041"}`, errString},
		"hex digits that are none":            {`{"a":"\u00g0"}`, errString},
		"an unknown escape":                   {`{"a":"\x41"}`, errString},
		"a control character":                 {"{\"a\":\"\n\"}", errString},
		"a control character after an escape": {"{\"a\":\"\\n\x01\"}", errString},
		"a broken UTF-8 sequence":             {"{\"a\":\"\xc3\"}", errString},
		"broken UTF-8 after an escape":        {"{\"a\":\"\\n\xff\"}", errString},
		"a surrogate in UTF-8":                {"{\"a\":\"\xed\xa0\x80\"}", errString},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m, err := DecodeObject([]byte(c.in))
			if !errors.Is(err, c.want) || m != nil {
				t.Errorf("got %v, %v; want %v", m, err, c.want)
			}
		})
	}
}

// checkStandard compares with encoding/json. It does not use cmp.Diff, whose cost doubles with each level of nesting.
func checkStandard(t testing.TB, b []byte, got map[string]any) {
	t.Helper()
	var want map[string]any
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if err := d.Decode(&want); err != nil {
		t.Fatalf("encoding/json refuses what we accept: %v", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		t.Fatalf("encoding/json sees trailing data: %v", err)
	}
	if !reflect.DeepEqual(want, got) {
		t.Errorf("encoding/json reads %#v, we read %#v", want, got)
	}
}

// FuzzDecodeObject: what we accept, encoding/json accepts with the same value.
func FuzzDecodeObject(f *testing.F) {
	for _, seed := range []string{
		`{}`, aliceClaims, `{"a":[1,-2.5e3,{"b":null}],"\u0073":"\ud83d\ude00\n"}`, `{"a":1,"a":2}`, `{"a":"\ud800"}`, nested(33),
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := DecodeObject(b)
		if err != nil {
			return
		}
		checkStandard(t, b, got)
	})
}
