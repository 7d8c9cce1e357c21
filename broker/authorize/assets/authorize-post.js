// Posts the answer to the application at once. Without scripts the button does it.
document.getElementById("answer").requestSubmit();
