package trust

// classes groups every reason. One that is missing here counts as internal, so that it can never read as the
// client's fault by accident.
var classes = map[Reason]Class{
	ReasonMalformed:       ClassSubject,
	ReasonTooLarge:        ClassSubject,
	ReasonHeader:          ClassSubject,
	ReasonAlgorithm:       ClassSubject,
	ReasonType:            ClassSubject,
	ReasonIssuerUnknown:   ClassSubject,
	ReasonKeyUnknown:      ClassSubject,
	ReasonKeysUnavailable: ClassUnavailable,
	ReasonSignature:       ClassSubject,
	ReasonAudience:        ClassSubject,
	ReasonParty:           ClassSubject,
	ReasonExpired:         ClassSubject,
	ReasonNotYetValid:     ClassSubject,
	ReasonTooOld:          ClassSubject,
	ReasonTime:            ClassSubject,
	ReasonSubject:         ClassSubject,
	ReasonBound:           ClassSubject,
	ReasonRecipient:       ClassSubject,
	ReasonRestricted:      ClassSubject,
	ReasonTokenID:         ClassSubject,
	ReasonReplayed:        ClassSubject,
	ReasonClaim:           ClassSubject,
	ReasonPanic:           ClassInternal,

	ReasonStandingUnknown:   ClassUnavailable,
	ReasonTrustNotLive:      ClassSubject,
	ReasonSubjectBlocked:    ClassSubject,
	ReasonNotBefore:         ClassSubject,
	ReasonRequire:           ClassSubject,
	ReasonClientUnknown:     ClassClient,
	ReasonGrantNotAllowed:   ClassGrant,
	ReasonNoRule:            ClassTarget,
	ReasonClientRequired:    ClassClient,
	ReasonConditions:        ClassTarget,
	ReasonTargetUnknown:     ClassTarget,
	ReasonTargetAmbiguous:   ClassTarget,
	ReasonTargetsDisagree:   ClassTarget,
	ReasonScopeUnknown:      ClassScope,
	ReasonScopeUnregistered: ClassScope,
	ReasonScopeEmpty:        ClassScope,
	ReasonClaimConflict:     ClassTarget,
	ReasonNotHolder:         ClassSubject,
	ReasonChainTooLong:      ClassSubject,
	ReasonLifetime:          ClassSubject,
	ReasonSignIn:            ClassTarget,
	ReasonConsent:           ClassSubject,
	ReasonRevoked:           ClassSubject,
	ReasonClaimsTooOld:      ClassSubject,

	ReasonRequest:          ClassRequest,
	ReasonUnsupportedParam: ClassRequest,
	ReasonUnsupportedGrant: ClassRequest,
	ReasonUnsupportedType:  ClassRequest,
	ReasonClientAuth:       ClassClient,
	ReasonRateLimited:      ClassUnavailable,
	ReasonOverloaded:       ClassUnavailable,
	ReasonStore:            ClassUnavailable,
	ReasonAudit:            ClassUnavailable,
	ReasonIssuedTooLarge:   ClassSubject,
	ReasonCode:             ClassSubject,
	ReasonCodeReused:       ClassSubject,
	ReasonRefresh:          ClassSubject,
	ReasonRefreshReused:    ClassSubject,
	ReasonRedirect:         ClassRequest,
	ReasonLoginState:       ClassRequest,
	ReasonUpstreamError:    ClassSubject,
	ReasonUpstreamDown:     ClassUnavailable,
	ReasonLoginRequired:    ClassSubject,
}

// Class groups a reason. A reason this package does not know, the zero value too, is ClassInternal.
func (r Reason) Class() Class {
	if c, ok := classes[r]; ok {
		return c
	}
	return ClassInternal
}
