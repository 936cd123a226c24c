/** What is measured of analysed runs, by which formula, and from where. */
export const FORMULAS: readonly { readonly name: string; readonly how: string }[] = [
  {
    name: 'eigenvalues',
    how:
      'The largest eigenvalues of the Hessian ∇²L(w) over all trained parameters, by Lanczos’s iteration with full orthogonalisation ' +
      'until none changes by more than 10⁻³ (PyHessian’s tolerance: Yao et al. 2020). Products Hv are exact (the ' +
      'gradient of gᵀv: Pearlmutter 1994), but for a network of one’s own with an operation that has no second derivative, where they are central ' +
      'differences of gradients, extrapolated to no step (Ridders 1982): rough where images are few.',
  },
  {
    name: 'trace',
    how: 'tr H ≈ mean of vᵀHv over random v of ±1 (Hutchinson 1990, Rademacher vectors as in PyHessian).',
  },
  {
    name: 'average rise',
    how:
      'E[L(w + δ)] − L(w), δ ~ N(0, ρ² diag(w²)): elementwise-adaptive average-case sharpness (Andriushchenko et al. 2023), from ' +
      'pairs ±δ.',
  },
  {
    name: 'worst rise',
    how:
      'max L(w + δ) − L(w) over ‖δ/|w|‖∞ ≤ ρ or ‖δ/|w|‖₂ ≤ ρ (the same, worst case), by projected ascent with halving steps as in Auto-PGD ' +
      '(Croce and Hein 2020): a lower bound. The maximum is over one δ for all images (m = n), where the paper takes batches of 128.',
  },
  {
    name: 'weights, biases',
    how:
      'Mean ‖w_c‖₂ and mean b_c over the classes of each task; new / old compares the last task’s block with the mean of the earlier ' +
      'blocks (the bias that Wu et al. 2019 and Zhao et al. 2020 correct). Classifiers by cosines have none.',
  },
  {
    name: 'calibration error',
    how:
      'Σ_m n_m/n · |accuracy_m − confidence_m| over 15 bins of confidence, by the method’s own prediction on test images (Naeini et al. ' +
      '2015; Guo et al. 2017).',
  },
  {
    name: 'CKA',
    how:
      'Σ HSIC₁(X, Y) / √(Σ HSIC₁(X, X) · Σ HSIC₁(Y, Y)) over batches, HSIC₁ the unbiased estimate with linear kernels (Nguyen et al. 2020; ' +
      'Song et al. 2012): of the maps after each stage of the network and of the pooled features, on the same images by the models after ' +
      'two tasks. Methods with an extractor a task show the maps of the newest one.',
  },
  {
    name: 'linear probes',
    how:
      'The extractor of each stage is frozen, and a linear classifier (softmax regression on standardised features, weight decay 10⁻³) is ' +
      'trained for all classes on the same training images, and scored on the test images of each task (Kim and Han 2023, On the ' +
      'Stability-Plasticity Dilemma of Class-Incremental Learning, arXiv 2304.01663, who retrain on all training images). The first and the ' +
      'untrained extractor stand beside: most methods turn out stable rather than plastic.',
  },
  {
    name: 'landscape',
    how: 'L(w + a·u + b·v) for Gaussian u and v, each filter of which is as long as the model’s own; biases and batch norm stay (Li et al. 2018).',
  },
];
