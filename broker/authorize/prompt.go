package authorize

// prompt is the parameter of OpenID Connect Core §3.1.2.1.
type prompt struct{ none, login, consent, account bool }

func parsePrompt(words []string) (prompt, *problem) {
	var p prompt
	for _, w := range words {
		switch w {
		case "none":
			p.none = true
		case "login":
			p.login = true
		case "consent":
			p.consent = true
		case "select_account":
			p.account = true
		default:
			return prompt{}, redirected("invalid_request", "prompt has a value that is not supported")
		}
	}
	if p.none && len(words) > 1 {
		return prompt{}, redirected("invalid_request", "prompt none stands with another value")
	}
	return p, nil
}
