package fake

import (
	"maps"
	"net/url"
)

// LoginFaults are the ways in which logins go wrong; they are part of Faults. In the maps a nil value leaves the member out.
type LoginFaults struct {
	Error  string         // the authorization endpoint answers with this error code
	Answer map[string]any // parameters of the authorization answer, over the right ones: {"iss": "https://evil.example"}

	TokenError string         // the token endpoint answers 400 with this error code
	Token      map[string]any // members of the token answer: {"id_token": nil}
	IDToken    map[string]any // claims of ID tokens: {"nonce": "another"}, {"auth_time": 1}, {"sub": 42}
	Mint       []MintOption   // of ID tokens: Typ("at+jwt"), Header("alg", "none")

	UserInfo    map[string]any // members of userinfo: {"sub": "another"}
	UserInfoJWT bool           // userinfo is signed (OpenID Connect Core 1.0 §5.3.2)
}

func (f LoginFaults) bend(params url.Values) {
	for name, v := range f.Answer {
		if v == nil {
			params.Del(name)
			continue
		}
		params.Set(name, v.(string))
	}
}

// over lays changes over members; nil removes.
func over(members, changes map[string]any) map[string]any {
	maps.Copy(members, changes)
	maps.DeleteFunc(members, func(_ string, v any) bool { return v == nil })
	return members
}
