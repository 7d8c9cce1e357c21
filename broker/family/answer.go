package family

import (
	"encoding/json"
	"time"

	"apostille/broker/oauth"
	"apostille/broker/seal"
	"apostille/broker/token"
)

// answerPurpose binds sealed answers to this place.
const answerPurpose = "refresh-answer"

// kept is an answer as the store has it, sealed.
type kept struct {
	Answer  *oauth.TokenResponse `json:"answer"`
	ID      string               `json:"jti"`
	Expires time.Time            `json:"expires"`
}

// sealAnswer seals an answer under a key that comes of the refresh token it answers: the store alone, its file too, opens none.
func sealAnswer(secret string, is token.Issue) ([]byte, error) {
	plain, err := json.Marshal(kept{Answer: is.Answer, ID: is.ID, Expires: is.Expires})
	if err != nil {
		return nil, err
	}
	return []byte(seal.New([]byte(secret)).Seal(answerPurpose, plain)), nil
}

// openAnswer is what was answered before.
func openAnswer(secret string, is token.Issue, sealed []byte) (token.Issue, error) {
	plain, err := seal.New([]byte(secret)).Open(answerPurpose, string(sealed))
	if err != nil {
		return is, err
	}
	var k kept
	if err := json.Unmarshal(plain, &k); err != nil {
		return is, err
	}
	return token.Issue{Decision: is.Decision, ID: k.ID, Expires: k.Expires, Answer: k.Answer, Again: true}, nil
}
