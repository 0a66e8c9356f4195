// Paths of the single-page application have no file behind them: they all get its entry page.
// A path whose last part has a dot is a file, and is left alone, so that a missing one is a 404.
function handler(event) {
    var request = event.request;
    var last = request.uri.substring(request.uri.lastIndexOf('/') + 1);
    if (last.indexOf('.') === -1) {
        request.uri = '/index.html';
    }
    return request;
}
